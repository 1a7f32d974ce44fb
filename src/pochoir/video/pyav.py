"""PyAV, which is an optional dependency."""

import importlib
from typing import Any

from pochoir.errors import MissingExtraError


def av() -> Any:
    """Import and return PyAV.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise MissingExtraError(
            "Reading and writing video files needs PyAV; install it with: pip install 'pochoir[video]'"
        ) from error
