"""Style pictures: the built-in ones and the user's own."""

import shutil
from pathlib import Path

from pochoir import styles
from pochoir.errors import InputError
from pochoir.studio import assistant
from pochoir.studio.assistant import Assistant
from pochoir.studio.folder import Folder, NotFoundError, checked_id, new_id, read_json, write_json
from pochoir.studio.models import Style
from pochoir.studio.uploads import Upload

FACTS = "style.json"


class Shelf:
    """Collection of style pictures.

    Args:
        folder: Places of the files.
        helper: Process that reads pictures.
    """

    def __init__(self, folder: Folder, helper: Assistant) -> None:
        self._folder, self._helper = folder, helper
        self._builtin = {new_id(f"style {name}"): name for name in styles.NAMES}

    def all(self) -> list[Style]:
        """Return all styles, the built-in ones first."""
        found = [
            Style(id=id_, name=name, description=styles.describe(name), builtin=True)
            for id_, name in self._builtin.items()
        ]
        for path in sorted(self._folder.styles.glob(f"*/{FACTS}"), key=lambda path: path.parent.name):
            values = read_json(path)
            if values is not None:
                found.append(Style(**values))
        return found

    def source(self, id_: str) -> str:
        """Return the built-in name or the path of a style.

        Raises:
            NotFoundError: There is no such style.
        """
        if id_ in self._builtin:
            return self._builtin[id_]
        return str(self._file(id_))

    def find(self, source: str, sha256: str) -> str | None:
        """Return the id of a style by its built-in name or its file's hash; None if it is not on the shelf."""
        if source in styles.NAMES:
            return new_id(f"style {source}")
        return sha256[:16] if (self._folder.styles / sha256[:16] / FACTS).is_file() else None

    async def add(self, upload: Upload) -> Style:
        """Keep an upload as a style.

        Raises:
            InputError: The file is no picture that can be read.
        """
        id_ = upload.sha256[:16]
        place = self._folder.styles / id_
        place.mkdir(parents=True, exist_ok=True)
        try:
            kept = place / "file" / upload.name
            kept.parent.mkdir(exist_ok=True)
            shutil.copyfile(upload.path, kept)
            shown = place / "shown.png"
            await self._helper.run(assistant.read_photo, str(kept), str(shown))
            await self._helper.run(assistant.make_thumbnail, str(shown), str(place / "thumb.webp"))
            shown.unlink()
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        style = Style(id=id_, name=Path(upload.name).stem[:60])
        write_json(place / FACTS, style.model_dump())
        return style

    def remove(self, id_: str) -> None:
        """Delete one of the user's own styles.

        Raises:
            InputError: The style is built in, or does not exist.
        """
        if id_ in self._builtin:
            raise InputError("Built-in styles cannot be removed.")
        self._file(id_)
        shutil.rmtree(self._folder.styles / id_, ignore_errors=True)

    async def thumb(self, id_: str) -> Path:
        """Return the file of a style's thumbnail; a built-in style's is drawn when it is first needed."""
        if id_ not in self._builtin:
            self._file(id_)
            return self._folder.styles / id_ / "thumb.webp"
        path = self._folder.thumbs / f"style-{self._builtin[id_]}.webp"
        if not path.exists():
            await self._helper.run(assistant.draw_style, self._builtin[id_], str(path))
        return path

    def _file(self, id_: str) -> Path:
        place = self._folder.styles / checked_id(id_) / "file"
        found = next(iter(place.iterdir()), None) if place.is_dir() else None
        if found is None:
            raise NotFoundError("This style is not on the shelf any more.")
        return found
