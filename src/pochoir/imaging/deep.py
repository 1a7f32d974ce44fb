"""Pictures of more than 8 bits per channel, which Pillow reads only when they are grey."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin

_PNG_BIT_DEPTH = 24  # offset of the bit depth in the header that every PNG begins with


def is_deep(image: Image.Image, data: bytes) -> bool:
    """Whether Pillow's 8-bit reading of this file has dropped bits."""
    if image.mode not in ("RGB", "RGBA", "LA"):
        return False
    if image.format == "PNG":
        return data[_PNG_BIT_DEPTH] == 16
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return any(bits > 8 for bits in image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, ()))
    return False


def decode_deep(data: bytes) -> npt.NDArray[Any] | None:
    """Decode a PNG or TIFF at its own depth with OpenCV.

    Returns:
        (H, W), (H, W, 3) or (H, W, 4) in RGB(A) order, of whatever type it holds; ``None`` if OpenCV cannot either.
    """
    previous = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if values is None or values.ndim == 2:
            return values
        return cv2.cvtColor(values, cv2.COLOR_BGRA2RGBA if values.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    except cv2.error:
        return None
    finally:
        cv2.utils.logging.setLogLevel(previous)
