"""How far a matte is from the true one, and what is seen of that on a new background.

Mattes are (H, W), pictures (H, W, 3), all float in [0, 1].
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Matte = NDArray[np.float32]
Picture = NDArray[np.float32]

CHENG_BAND = 0.02  # of the diagonal, as in the paper
THIN_BAND = 0.004  # 4 pixels at 800 x 600: tells edges apart that the paper's band calls equal
_GRADIENT_SIGMA = 1.4
BACKDROPS = {"white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0), "green": (0.0, 0.7, 0.1)}


def iou(matte: Matte, truth: Matte) -> float:
    """Intersection over union of what is above one half."""
    return _overlap(matte > 0.5, truth > 0.5)


def boundary_iou(matte: Matte, truth: Matte, *, band: float = CHENG_BAND, is_frame_outside: bool = True) -> float:
    """IoU of the strips inside both outlines, ``band`` of the diagonal wide (Cheng et al. 2021, arXiv:2103.16562).

    The picture's frame counts as outside, as in the authors' code, unless ``is_frame_outside`` is False: a subject that
    the frame cuts off has no outline there.
    """
    width_px = max(1, round(band * math.hypot(*truth.shape)))
    ours, theirs = (_inner_strip(item > 0.5, width_px, is_frame_outside) for item in (matte, truth))
    return _overlap(ours, theirs)


def band_mae(matte: Matte, truth: Matte) -> float:
    """Mean absolute difference where the truth is between .02 and .98; 0 if it is nowhere."""
    band = (truth > 0.02) & (truth < 0.98)
    return float(np.abs(matte - truth)[band].mean(dtype=np.float64)) if band.any() else 0.0


def slope_error(matte: Matte, truth: Matte) -> float:
    """Sum of absolute differences of the gradients' magnitudes, in thousands, without smoothing."""
    ours, theirs = (np.hypot(*np.gradient(item.astype(np.float64))) for item in (matte, truth))
    return float(np.abs(ours - theirs).sum() / 1000)


def sad(matte: Matte, truth: Matte) -> float:
    """Sum of absolute differences over the whole picture, in thousands."""
    return float(np.abs(matte - truth).sum(dtype=np.float64) / 1000)


def mse(matte: Matte, truth: Matte) -> float:
    """Mean squared difference over the whole picture."""
    return float(np.square(matte - truth).mean(dtype=np.float64))


def gradient_error(matte: Matte, truth: Matte) -> float:
    """Sum of squared differences of the gradients' magnitudes, in thousands (Rhemann et al. 2009), sigma 1.4."""
    return float(np.square(_gradient(matte) - _gradient(truth)).sum() / 1000)


def edge_band(truth: Matte) -> NDArray[np.bool_]:
    """Pixels that are mixed in truth, and 1 % of the long side around them."""
    radius = max(1, round(0.01 * max(truth.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    mixed = ((truth > 0.02) & (truth < 0.98)).astype(np.uint8)
    return cv2.dilate(mixed, kernel) > 0


def backdrop_psnr(colors: Picture, matte: Matte, true_colors: Picture, truth: Matte) -> float:
    """PSNR in dB of the subject laid on white, black and green, against the truth laid on them, in the edge band.

    The squared errors of the three backdrops are averaged before the logarithm.
    """
    band = edge_band(truth)
    errors = []
    for backdrop in BACKDROPS.values():
        ground = np.asarray(backdrop, np.float32)
        seen = colors * matte[..., None] + ground * (1 - matte[..., None])
        wanted = true_colors * truth[..., None] + ground * (1 - truth[..., None])
        errors.append(np.square(seen - wanted)[band].mean(dtype=np.float64))
    error = float(np.mean(errors))
    return math.inf if error == 0 else -10 * math.log10(error)


def _overlap(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
    union = np.count_nonzero(ours | theirs)
    return np.count_nonzero(ours & theirs) / union if union else 1.0


def _inner_strip(mask: NDArray[np.bool_], width_px: int, is_frame_outside: bool) -> NDArray[np.bool_]:
    framed = np.pad(mask.astype(np.uint8), width_px, mode="constant" if is_frame_outside else "edge")
    eroded = cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=width_px)
    return mask & ~eroded[width_px:-width_px, width_px:-width_px].astype(bool)


def _gradient(matte: Matte) -> NDArray[np.float64]:
    reach = math.ceil(3 * _GRADIENT_SIGMA)
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    bell = np.exp(-(x**2) / (2 * _GRADIENT_SIGMA**2))
    slope = -x * bell
    kernel = np.outer(bell, slope)
    kernel /= math.sqrt(np.square(kernel).sum())  # the authors' code gives the kernel unit energy
    plane = matte.astype(np.float64)
    sideways = cv2.filter2D(plane, cv2.CV_64F, kernel, borderType=cv2.BORDER_REPLICATE)
    downwards = cv2.filter2D(plane, cv2.CV_64F, kernel.T, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(sideways, downwards)
