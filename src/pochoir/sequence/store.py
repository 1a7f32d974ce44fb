"""Finished parts of a painted video, in memory or in a folder, so that a killed run can be resumed."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from pochoir._files import replacing
from pochoir.errors import OutputPathError, WriteError

Pixels = npt.NDArray[np.uint8]
"""Matte of shape (H, W), or picture of shape (H, W, 3) or (H, W, 4)."""

_MARK: Final = "store.json"
_CUTS: Final = "cuts"
_DAMAGE = (OSError, ValueError, SyntaxError, KeyError, TypeError, RecursionError, EOFError)


class Store(Protocol):
    """Place for the finished parts of one video: cuts, pictures by kind and frame, and small values by name."""

    def read_cuts(self) -> tuple[int, ...] | None:
        """Return the first frames of all shots but the first; None if they are not there."""

    def write_cuts(self, cuts: Sequence[int]) -> None:
        """Keep the first frames of all shots but the first."""

    def read_picture(self, kind: str, index: int) -> Pixels | None:
        """Return a picture; None if it is not there, or damaged.

        Args:
            kind: Word such as ``"matte"``, ``"key"`` or ``"plate"``.
            index: Number of its frame or shot.
        """

    def write_picture(self, kind: str, index: int, picture: Pixels) -> None:
        """Keep a picture without loss."""

    def read_json(self, name: str) -> Any:
        """Return a value; None if it is not there, or damaged."""

    def write_json(self, name: str, value: Any) -> None:
        """Keep a value that JSON knows."""


class MemoryStore:
    """Store that ends with the process."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._pictures: dict[tuple[str, int], Pixels] = {}

    def read_cuts(self) -> tuple[int, ...] | None:
        """Return the cuts; see ``Store``."""
        return _to_cuts(self.read_json(_CUTS))

    def write_cuts(self, cuts: Sequence[int]) -> None:
        """Keep the cuts."""
        self.write_json(_CUTS, list(map(int, cuts)))

    def read_picture(self, kind: str, index: int) -> Pixels | None:
        """Return a copy of a picture; None if it is not there."""
        found = self._pictures.get((kind, index))
        return None if found is None else found.copy()

    def write_picture(self, kind: str, index: int, picture: Pixels) -> None:
        """Keep a copy of a picture."""
        self._pictures[kind, index] = _check(picture).copy()

    def read_json(self, name: str) -> Any:
        """Return a value; None if it is not there."""
        return json.loads(self._values.get(name, "null"))

    def write_json(self, name: str, value: Any) -> None:
        """Keep a value that JSON knows."""
        self._values[name] = json.dumps(value)

    def copy_to(self, store: Store) -> None:
        """Copy all parts to another store."""
        for (kind, index), picture in self._pictures.items():
            store.write_picture(kind, index, picture)
        for name, text in self._values.items():
            store.write_json(name, json.loads(text))


class FolderStore:
    """Store in a folder of its own; each file is there as a whole or not at all.

    Args:
        folder: Folder to use. It is made when the first part is written.
        key: Key of the request. Parts of another request are removed.

    Attributes:
        folder: As above.
        resumed: True if the folder holds parts of this request.

    Raises:
        OutputPathError: The folder holds other files, or is a file.
        WriteError: Parts of another request cannot be removed.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self._key = key
        self._is_marked = False
        self.resumed = False
        if folder.is_dir() and any(folder.iterdir()):
            found = _load(folder / _MARK)
            if not isinstance(found, dict) or "key" not in found:
                raise OutputPathError(f"The folder {str(folder)!r} holds other files; remove it or use another output.")
            if found["key"] == key:
                self.resumed = self._is_marked = True
            else:
                self.remove()
        elif folder.exists() and not folder.is_dir():
            raise OutputPathError(f"{str(folder)!r} is a file where a folder is needed; remove it.")

    def read_cuts(self) -> tuple[int, ...] | None:
        """Return the cuts; see ``Store``."""
        return _to_cuts(self.read_json(_CUTS))

    def write_cuts(self, cuts: Sequence[int]) -> None:
        """Keep the cuts."""
        self.write_json(_CUTS, list(map(int, cuts)))

    def read_picture(self, kind: str, index: int) -> Pixels | None:
        """Return a picture; None if it is not there, or damaged."""
        if not self._is_marked:
            return None
        try:
            with Image.open(self._picture(kind, index)) as image:
                return np.array(image, dtype=np.uint8)
        except _DAMAGE:
            return None

    def write_picture(self, kind: str, index: int, picture: Pixels) -> None:
        """Keep a picture as PNG.

        Raises:
            WriteError: The disk is full, or the folder cannot be written to.
        """
        image = Image.fromarray(_check(picture))
        self._write(self._picture(kind, index), lambda draft: image.save(draft, "PNG", compress_level=1))

    def read_json(self, name: str) -> Any:
        """Return a value; None if it is not there, or damaged."""
        found = _load(self._json(name)) if self._is_marked else None
        if not isinstance(found, dict) or found.get("sha256") != _hash(found.get("value")):
            return None
        return found["value"]

    def write_json(self, name: str, value: Any) -> None:
        """Keep a value that JSON knows.

        Raises:
            WriteError: The disk is full, or the folder cannot be written to.
        """
        text = json.dumps({"sha256": _hash(value), "value": value})
        self._write(self._json(name), lambda draft: draft.write_text(text, encoding="utf-8"))

    def absorb(self, folder: Path) -> None:
        """Move the parts of another store of the same request here, and remove that store.

        Raises:
            WriteError: They cannot be moved.
        """
        found = _load(folder / _MARK)
        try:
            if isinstance(found, dict) and found.get("key") == self._key:
                for path in folder.iterdir():
                    if path.name != _MARK:
                        path.replace(self.folder / path.name)
            shutil.rmtree(folder)
        except OSError as error:
            raise WriteError(f"Cannot move the parts in {str(folder)!r}: {error.strerror or error}.") from error

    def remove(self) -> None:
        """Remove the folder with all parts.

        Raises:
            WriteError: It cannot be removed.
        """
        try:
            with suppress(FileNotFoundError):
                shutil.rmtree(self.folder)
        except OSError as error:
            raise WriteError(f"Cannot remove {str(self.folder)!r}: {error.strerror or error}.") from error
        self._is_marked = self.resumed = False

    def _picture(self, kind: str, index: int) -> Path:
        return self.folder / f"{kind}-{index:07d}.png"

    def _json(self, name: str) -> Path:
        return self.folder / f"{name}.value.json"

    def _write(self, path: Path, write: Callable[[Path], object]) -> None:
        try:
            if not self._is_marked or not self.folder.is_dir():
                self.folder.mkdir(exist_ok=True, parents=True)
                with replacing(self.folder / _MARK) as draft:
                    draft.write_text(json.dumps({"key": self._key}), encoding="utf-8")
                self._is_marked = True
            with replacing(path) as draft:
                write(draft)
        except OSError as error:
            raise WriteError(f"Cannot write {str(path)!r}: {error.strerror or error}.") from error


def _check(picture: Pixels) -> Pixels:
    if picture.dtype != np.uint8:
        raise TypeError(f"Stores keep pictures of 8 bits; got {picture.dtype}.")
    return np.ascontiguousarray(picture)


def _to_cuts(value: Any) -> tuple[int, ...] | None:
    return tuple(value) if isinstance(value, list) and all(isinstance(cut, int) for cut in value) else None


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except _DAMAGE:
        return None
