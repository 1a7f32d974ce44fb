"""Drawings of built-in styles that an earlier run left in the cache folder; drawing one takes half a second."""

import hashlib
import logging
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pochoir._files import replacing
from pochoir._types import Size
from pochoir.styles import NAMES, draw
from pochoir.weights import home

if TYPE_CHECKING:
    import numpy.typing as npt

logger = logging.getLogger(__name__)

_FOLDER = Path(__file__).parent
_DAMAGE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, KeyError, ValueError)
"""Errors of a file that is missing, not intact, or holds something else."""


def draw_once(name: str, *, size: Size) -> "npt.NDArray[np.uint8]":
    """Return the picture that ``styles.draw`` draws with seed 0, from the cache folder if it is there.

    Args:
        name: One of ``styles.style_names()``. Styles of other packages are always drawn.
        size: Height and width in pixels.

    Returns:
        RGB picture, uint8, shape (height, width, 3).

    Raises:
        UnknownNameError, OptionError, PluginError: As for ``styles.draw``.
    """
    if name not in NAMES:
        return draw(name, size=size)
    path = home() / "styles" / f"{name}-{size.width}x{size.height}-{_fingerprint()}.npz"
    try:
        return _read(path, size)
    except _DAMAGE:
        picture = draw(name, size=size)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft, draft.open("wb") as file:
            np.savez_compressed(file, picture=picture)
    except OSError as error:
        logger.info("The drawn style cannot be kept in %s (%s).", path.parent, error)
    return picture


def _read(path: Path, size: Size) -> "npt.NDArray[np.uint8]":
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:  # verifies a checksum
        picture: npt.NDArray[np.uint8] = archive["picture"]
    if picture.shape != (*size, 3) or picture.dtype != np.uint8:
        raise ValueError(f"{path} holds another picture")
    return picture


def _fingerprint() -> str:
    """Return a hash of everything that the drawn pixels depend on besides name and size."""
    total = hashlib.sha256("\n".join([np.__version__, cv2.__version__, cv2.getCPUFeaturesLine()]).encode())
    for path in sorted(_FOLDER.glob("*.py")):
        total.update(path.read_bytes())
    return total.hexdigest()[:16]
