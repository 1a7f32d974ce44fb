"""Types of the arrays that this package works on."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[np.float32]
"""One value a pixel, shape (H, W)."""
Layer: TypeAlias = npt.NDArray[np.float32]
"""Red, green, blue and alpha in [0, 1], colours multiplied by alpha, shape (H, W, 4)."""
Picture: TypeAlias = npt.NDArray[np.float32]
"""Red, green and blue in [0, 1], shape (H, W, 3)."""
Frame: TypeAlias = npt.NDArray[np.uint8]
"""One finished frame, shape (H, W, 3), or (H, W, 4) with alpha that colours are not multiplied by."""
Points: TypeAlias = npt.NDArray[np.float64]
"""Positions x, y in pixels, shape (n, 2). The centre of the top left pixel is (0, 0)."""
Triangles: TypeAlias = npt.NDArray[np.int32]
"""Indices of the corners of triangles, shape (m, 3)."""
Mask: TypeAlias = npt.NDArray[np.bool_]
"""True or false for each pixel, shape (H, W)."""
