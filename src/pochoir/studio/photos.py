"""Photos and their masks: files in the hidden folder, with a small JSON file beside each photo."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pochoir._files import replacing
from pochoir.errors import PochoirError
from pochoir.studio import assistant
from pochoir.studio.assistant import Assistant
from pochoir.studio.folder import Folder, NotFoundError, checked_id, new_id, newest_first, read_json, write_json
from pochoir.studio.models import Corrections, Order, Photo
from pochoir.studio.problems import describe
from pochoir.studio.uploads import Upload, unzip_exactly

MAX_PHOTOS = 500
"""Photos that are kept; the oldest ones that no picture was made of go first."""
FACTS, SHOWN, AUTOMATIC, MASK = "photo.json", "shown", "automatic.png", "mask.png"


class Photos:
    """Collection of photos.

    Args:
        folder: Places of the files.
        helper: Process that reads pictures.
        publish: Called with a photo whenever it changes.
    """

    def __init__(self, folder: Folder, helper: Assistant, publish: Callable[[Photo], None]) -> None:
        self._folder, self._helper, self._publish = folder, helper, publish
        self._finding: set[str] = set()
        """Photos whose subject is being found."""

    def get(self, id_: str) -> Photo:
        """Return a photo.

        Raises:
            NotFoundError: There is no such photo.
        """
        values = read_json(self.place(id_) / FACTS)
        if values is None:
            raise NotFoundError("There is no such photo any more; drop it again.")
        return Photo(**values)

    def latest(self) -> Photo | None:
        """Return the photo that was opened last."""
        for path in newest_first(self._folder.photos.glob(f"*/{FACTS}")):
            values = read_json(path)
            if values is not None:
                return Photo(**values)
        return None

    def path(self, id_: str) -> Path:
        """Return the file of a photo."""
        photo = self.get(id_)
        return self.place(id_) / "file" / photo.name

    def shown_path(self, id_: str) -> Path:
        """Return the upright picture that the page shows of a photo."""
        self.get(id_)
        place = self.place(id_)
        return next((path for path in place.glob(f"{SHOWN}.*")), place / f"{SHOWN}.png")

    def mask_path(self, id_: str) -> Path | None:
        """Return the file of a photo's mask; None while there is none."""
        place = self.place(id_)
        return next((place / name for name in (MASK, AUTOMATIC) if (place / name).is_file()), None)

    async def add(self, upload: Upload, find_order: Callable[[str], tuple[str | None, Order]]) -> Photo:
        """Keep an upload as a photo; the same file again is the same photo.

        Args:
            upload: The file.
            find_order: Returns the known photo and the order of a picture's record.

        Raises:
            InputError: The file is no picture that can be read.
        """
        id_ = upload.sha256[:16]
        place = self.place(id_)
        known = read_json(place / FACTS)
        if known is not None:
            os.utime(place / FACTS)  # now it is the latest
            return Photo(**known)
        name = upload.name
        place.mkdir(parents=True, exist_ok=True)
        try:
            (place / "file").mkdir(exist_ok=True)
            shutil.copyfile(upload.path, place / "file" / name)
            kept = place / "file" / name
            shown = place / f"{SHOWN}{'.jpg' if kept.suffix.lower() in ('.jpg', '.jpeg') else '.png'}"
            facts = await self._helper.run(assistant.read_photo, str(kept), str(shown))
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        order = None
        if facts["record"] is not None:
            original, order = find_order(facts["record"])
            if original is not None:
                shutil.rmtree(place, ignore_errors=True)
                photo = self.get(original)
                os.utime(self.place(original) / FACTS)
                return photo.model_copy(update={"order": order})
        photo = Photo(id=id_, name=name, width=facts["width"], height=facts["height"], notes=facts["notes"])
        self._save(photo)
        self._forget_oldest()
        return photo.model_copy(update={"order": order})

    def is_forgotten(self, photo: Photo) -> bool:
        """Tell whether nobody is finding a photo's subject: it came with a batch, or with a server that was killed."""
        return photo.state == "finding" and photo.mask_version is None and photo.id not in self._finding

    async def find_subject(self, id_: str, corrections: Corrections | None = None, segmenter: str = "u2net") -> Photo:
        """Find a photo's subject; the result becomes its mask. The photo is published when it is done."""
        wanted = corrections or Corrections()
        photo = self.get(id_)
        self._finding.add(id_)
        self._publish(photo.model_copy(update={"state": "finding", "error": ""}))
        place = self.place(id_)
        try:
            found = await self._helper.run(
                assistant.find_subject,
                str(self.path(id_)),
                str(place / AUTOMATIC),
                wanted.model_dump(mode="json"),
                segmenter,
            )
            (place / MASK).unlink(missing_ok=True)
            photo = self._change(
                id_,
                state="found",
                error="",
                parts=found["parts"],
                subject=wanted.subject,
                corrections=wanted,
                notes=list(dict.fromkeys([*photo.notes, *found["notes"]])),
                mask_version=_version(),
            )
        except NotFoundError:
            return photo  # it was forgotten meanwhile
        except Exception as error:  # whatever went wrong, the page has to hear of it
            failed = {"state": "failed", "error": describe(error, self._folder)}
            photo = photo.model_copy(update=failed)
            with contextlib.suppress(PochoirError):  # a full disk keeps nothing
                photo = self._change(id_, **failed)
        finally:
            self._finding.discard(id_)
        self._publish(photo)
        return photo

    async def set_mask(self, id_: str, upload: Upload) -> Photo:
        """Replace a photo's mask by gzipped bytes, one for each pixel."""
        photo = self.get(id_)
        data = unzip_exactly(upload.path, photo.width * photo.height)
        target = str(self.place(id_) / MASK)
        await self._helper.run(assistant.write_mask, data, photo.width, photo.height, target)
        return self._change(id_, mask_version=_version())

    async def upload_mask(self, id_: str, upload: Upload) -> Photo:
        """Replace a photo's mask by a picture."""
        photo = self.get(id_)
        target = str(self.place(id_) / MASK)
        await self._helper.run(assistant.read_mask, str(upload.path), photo.width, photo.height, target)
        return self._change(id_, mask_version=_version(), state="found", error="")

    def reset_mask(self, id_: str) -> None:
        """Drop a photo's corrections and its mask."""
        (self.place(id_) / MASK).unlink(missing_ok=True)
        self._change(id_, corrections=None, subject="all")

    def freeze_mask(self, id_: str) -> Path | None:
        """Return a copy of a photo's mask that later changes do not touch, for a job."""
        path = self.mask_path(id_)
        if path is None:
            return None
        data = path.read_bytes()
        frozen = self._folder.masks / f"{new_id(data)}.png"
        if not frozen.exists():
            with replacing(frozen) as draft:
                draft.write_bytes(data)
        return frozen

    def find(self, sha256: str) -> str | None:
        """Return the id of the photo whose file has this hash."""
        return sha256[:16] if (self._folder.photos / sha256[:16] / FACTS).is_file() else None

    def place(self, id_: str) -> Path:
        """Return the folder of a photo's files."""
        return self._folder.photos / checked_id(id_)

    def _save(self, photo: Photo) -> None:
        write_json(self.place(photo.id) / FACTS, photo.model_dump(mode="json", exclude={"order"}))

    def _change(self, id_: str, **changes: Any) -> Photo:
        photo = self.get(id_).model_copy(update=changes)
        self._save(photo)
        return photo

    def _forget_oldest(self) -> None:
        for path in newest_first(self._folder.photos.glob(f"*/{FACTS}"))[MAX_PHOTOS:]:
            shutil.rmtree(path.parent, ignore_errors=True)


def _version() -> str:
    return f"{time.time_ns():x}"
