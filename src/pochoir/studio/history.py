"""History: the finished pictures in the folder. The files are the truth; a JSON file remembers what made each."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pochoir.errors import InputError
from pochoir.studio import assistant, moving
from pochoir.studio.assistant import Assistant
from pochoir.studio.folder import Folder, NotFoundError, checked_id, new_id, newest_first, read_json, write_json
from pochoir.studio.models import Item, Order, Place

SUFFIXES = tuple(dict.fromkeys((".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", *moving.SUFFIXES)))
MAX_ITEMS = 2000
"""Pictures that the page lists, the newest first."""


class History:
    """Finished pictures.

    Args:
        folder: Places of the files.
        helper: Process that reads pictures.
    """

    def __init__(self, folder: Folder, helper: Assistant) -> None:
        self._folder, self._helper = folder, helper
        self._known: dict[Path, tuple[int, Item | None]] = {}

    async def all(self) -> list[Item]:
        """Return the pictures, the newest first. Only new and changed files are read."""
        paths = newest_first(path for path in self._folder.root.iterdir() if path.suffix.lower() in SUFFIXES)
        items = [await self._read(path) for path in paths[:MAX_ITEMS]]
        self._known = {path: self._known[path] for path in paths[:MAX_ITEMS] if path in self._known}
        return [item for item in items if item is not None]

    async def item(self, path: Path) -> Item | None:
        """Return one picture; None if the file is none of pochoir's."""
        return await self._read(path)

    def path(self, id_: str) -> Path:
        """Return the file of a picture.

        Raises:
            NotFoundError: The picture is not there any more.
        """
        checked_id(id_)
        for path in self._folder.root.iterdir():
            if new_id(path.name) == id_ and path.suffix.lower() in SUFFIXES:
                return path
        raise NotFoundError("This picture is not in the folder any more.")

    def remember(self, path: Path, **facts: Any) -> None:
        """Keep what the page should know of a picture, which its file does not say, such as its photo and its mask."""
        write_json(self._facts_path(path), facts)
        self._known.pop(path, None)  # somebody may have read the file before

    def facts(self, path: Path) -> dict[str, Any]:
        """Return what was remembered of a picture."""
        return read_json(self._facts_path(path)) or {}

    async def record(self, path: Path) -> str:
        """Return the record of a picture or a clip.

        Raises:
            InputError: The file holds none.
        """
        facts = await self._helper.run(assistant.describe_picture, str(path))
        if facts["record"] is None:
            raise InputError("This picture holds no recipe.")
        return str(facts["record"])

    def remove(self, id_: str) -> None:
        """Delete a picture's file, its thumbnail and what was remembered of it."""
        path = self.path(id_)
        path.unlink(missing_ok=True)
        self._facts_path(path).unlink(missing_ok=True)
        self._thumb_path(path).unlink(missing_ok=True)
        (self._folder.thumbs / f"{id_}-still.webp").unlink(missing_ok=True)
        self._known.pop(path, None)

    async def thumb(self, id_: str) -> Path:
        """Return the thumbnail of a picture, which is made when it is first needed."""
        path = self.path(id_)
        thumb = self._thumb_path(path)
        if not thumb.exists() or thumb.stat().st_mtime_ns < path.stat().st_mtime_ns:
            await self._helper.run(assistant.make_thumbnail, str(path), str(thumb))
        return thumb

    async def still(self, id_: str) -> Path:
        """Return the first frame of a clip as a picture, which is made when it is first needed."""
        path = self.path(id_)
        still = self._folder.thumbs / f"{id_}-still.webp"
        if not still.exists() or still.stat().st_mtime_ns < path.stat().st_mtime_ns:
            await self._helper.run(moving.write_still, str(path), str(still))
        return still

    async def _read(self, path: Path) -> Item | None:
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return None
        known = self._known.get(path)
        if known is not None and known[0] == changed:
            return known[1]
        item = await self._describe(path, changed / 1e9)
        self._known[path] = (changed, item)
        return item

    async def _describe(self, path: Path, made: float) -> Item | None:
        stored = self.facts(path)
        if "width" not in stored:
            try:
                facts = await self._helper.run(assistant.describe_picture, str(path))
            except (InputError, OSError, ValueError):
                return None
            if facts.pop("record") is None:
                return None  # somebody else's picture
            stored = {**self.facts(path), **facts}  # what was remembered meanwhile stays
            write_json(self._facts_path(path), stored)
        return Item(
            id=new_id(path.name),
            kind=_kind(stored),
            name=path.name,
            width=stored["width"],
            height=stored["height"],
            made=made,
            photo=stored.get("photo"),
            job=stored.get("job"),
            has_matte=bool(stored.get("mask")) or stored["transparent"],
            transparent=stored["transparent"],
            notes=stored.get("notes", []),
            seconds=stored.get("seconds"),
            place=None if stored.get("place") is None else Place(**stored["place"]),
            order=None if stored.get("order") is None else Order(**stored["order"]),
            form=stored.get("form"),
            video=stored.get("video"),
            partial=stored.get("partial", False),
            frames=stored.get("frames", 1),
            duration_s=stored.get("duration_s"),
        )

    def _facts_path(self, path: Path) -> Path:
        return self._folder.thumbs / f"{new_id(path.name)}.json"

    def _thumb_path(self, path: Path) -> Path:
        return self._folder.thumbs / f"{new_id(path.name)}.webp"


def _kind(stored: dict[str, Any]) -> Literal["picture", "clip", "film"]:
    if stored.get("video") is not None or stored.get("film"):
        return "film"
    return "clip" if stored.get("frames", 1) > 1 else "picture"


def iter_paths(folder: Path, stem: str, suffix: str = ".png") -> Iterator[Path]:
    """Yield paths that no file has yet, made from a name, the time and a number."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in itertools.count(1):
        path = folder / f"{stem}-{stamp}{'' if number == 1 else f'-{number}'}{suffix}"
        if not path.exists():
            yield path
