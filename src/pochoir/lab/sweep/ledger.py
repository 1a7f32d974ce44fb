"""The runs of a sweep that are done: one line of JSON each, only ever added to."""

import json
import logging
import os
from pathlib import Path
from typing import Any

from pochoir.errors import WriteError

_log = logging.getLogger(__name__)


class Ledger:
    """A file of lines that survives being cut off anywhere.

    Args:
        path: The file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, dict[str, Any]]:
        """The last entry of each key. A torn line, as a kill may leave behind, counts as never written."""
        entries: dict[str, dict[str, Any]] = {}
        if not self.path.exists():
            return entries
        for number, line in enumerate(self.path.read_bytes().splitlines(), start=1):
            try:
                entry = json.loads(line)
                entries[entry["key"]] = entry
            except (ValueError, KeyError, TypeError):
                _log.warning("%s: line %d is not an entry and is passed over", self.path, number)
        return entries

    def add(self, entry: dict[str, Any]) -> None:
        """Add an entry; when this returns, it is on the disk.

        Raises:
            WriteError: It cannot be written.
        """
        line = json.dumps(entry, ensure_ascii=False, allow_nan=False).encode(errors="backslashreplace") + b"\n"
        try:
            with self.path.open("ab+") as file:
                if file.tell() and not self._ends_whole(file):
                    line = b"\n" + line
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise WriteError(f"Cannot write '{self.path}': {error.strerror or error}.") from error

    @staticmethod
    def _ends_whole(file: Any) -> bool:
        file.seek(-1, os.SEEK_END)
        return bool(file.read(1) == b"\n")
