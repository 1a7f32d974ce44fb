"""Files that a command made in a folder, known by their content, so that it replaces these alone when it runs again."""

import json
from collections.abc import Iterable
from pathlib import Path

from pochoir._hashing import hash_file
from pochoir.errors import OutputPathError


class OwnFiles:
    """Names and hashes of the files that a command made, kept in a hidden file beside them.

    Args:
        folder: Folder of the files.
        command: Name of the command.
    """

    def __init__(self, folder: Path, command: str) -> None:
        self._folder = folder
        self._command = command
        self._list = folder / f".pochoir-{command}.json"
        self._hashes = _read(self._list)

    def check(self, names: Iterable[str]) -> None:
        """Raise an ``OutputPathError`` for the first file of these names that the command did not make."""
        for name in names:
            path = self._folder / name
            if not (path.exists() or path.is_symlink()):
                continue
            if not path.is_file() or hash_file(path) != self._hashes.get(name):
                raise OutputPathError(
                    f"The {self._command} did not make {str(path)!r} and would replace it; "
                    "choose another folder (--out)."
                )

    def add(self, path: Path) -> None:
        """Remember a file that was written."""
        from pochoir import imaging

        self._hashes[path.name] = hash_file(path)
        imaging.write_file(self._list, json.dumps(self._hashes, indent=1).encode())


def _read(path: Path) -> dict[str, str]:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
