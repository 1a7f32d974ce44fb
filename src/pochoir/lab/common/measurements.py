"""Measurements that took long, kept on disk by everything that they depend on."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pochoir
from pochoir import imaging

FOLDER_NAME = "measured"


class MeasurementStore:
    """Folder with one file for each measurement. Several processes may use it at once.

    Args:
        folder: Folder of the experiment. It has to exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER_NAME

    def get(self, **inputs: Any) -> Any:
        """Return what was measured with these inputs and this version; None if it is not kept.

        Args:
            **inputs: Plain values, such as settings and hashes of pictures.
        """
        try:
            kept = json.loads(self._path(inputs).read_bytes())
        except (OSError, ValueError):  # not there, or cut off by a full disk: it is measured again
            return None
        return kept["measured"] if isinstance(kept, dict) and "measured" in kept else None

    def put(self, measured: Any, **inputs: Any) -> None:
        """Keep a measurement: plain values.

        Raises:
            WriteError: The file cannot be written.
        """
        path = self._path(inputs)
        path.parent.mkdir(exist_ok=True)
        imaging.write_file(path, json.dumps({"inputs": inputs, "measured": measured}).encode())

    def _path(self, inputs: dict[str, Any]) -> Path:
        text = json.dumps([pochoir.__version__, inputs], sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"
