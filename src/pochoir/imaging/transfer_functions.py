"""Transfer functions, primaries and tone mapping: colours that closed formulas describe."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pochoir.errors import ImageReadError
from pochoir.imaging.raster import Encoding

Linear: TypeAlias = npt.NDArray[np.float32]
Chromaticities: TypeAlias = tuple[tuple[float, float], ...]

_D65 = (0.3127, 0.3290)
SRGB_PRIMARIES: Chromaticities = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65)

# ITU-T H.273, table 2: the code points that files of pictures use.
_PRIMARIES: dict[int, tuple[str, Chromaticities]] = {
    1: ("BT.709", SRGB_PRIMARIES),
    4: ("NTSC", ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316))),
    5: ("PAL", ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65)),
    6: ("BT.601", ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65)),
    7: ("SMPTE 240M", ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65)),
    9: ("BT.2020", ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65)),
    11: ("DCI-P3", ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351))),
    12: ("Display P3", ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65)),
}
_UNSPECIFIED = 2
_SRGB_LIKE_TRANSFERS = (1, 2, 6, 13, 14, 15)  # stills tagged as BT.709 are shown like sRGB by all browsers

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_PAGE_WHITE_NITS = 203.0  # ITU-R BT.2408: white of a page in HDR
_KNEE = 0.75  # linear light up to which tone mapping changes nothing
_GAMMA_OF_SRGB = 0.45455
_GAMMA_SLACK = 0.003
_PRIMARIES_SLACK = 0.002


def srgb_to_linear(values: Linear) -> Linear:
    """Undo the transfer function of sRGB."""
    low = values / np.float32(12.92)
    high = ((values.clip(0, None) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(values <= 0.04045, low, high).astype(np.float32)


def from_linear_srgb(linear: Linear) -> Linear:
    """Apply the transfer function of sRGB to linear light, clipped to [0, 1]."""
    clipped = linear.clip(0, 1)
    high = np.float32(1.055) * clipped ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(clipped <= 0.0031308, clipped * np.float32(12.92), high).astype(np.float32)


def rgb_to_rgb(linear: Linear, primaries: Chromaticities) -> Linear:
    """Convert linear light from other primaries to those of sRGB; the white points are made to agree."""
    adapted = _adaptation(primaries[3], _D65) @ _rgb_to_xyz(primaries)
    matrix = np.linalg.inv(_rgb_to_xyz(SRGB_PRIMARIES)) @ adapted
    return linear @ matrix.T.astype(np.float32)


def tone_map(linear: Linear) -> Linear:
    """Compress linear light above the white of a page; hues are kept, mid-tones are not touched."""
    peak = linear.max(axis=-1, keepdims=True)
    over = (peak - _KNEE).clip(0, None)
    compressed = np.float32(_KNEE) + (1 - _KNEE) * (over / (over + (1 - _KNEE)))
    return np.where(peak > _KNEE, linear * (compressed / peak.clip(1e-6, None)), linear).astype(np.float32)


def encoding_of_cicp(primaries: int, transfer: int) -> Encoding | None:
    """Return the colours that coding-independent code points (ITU-T H.273) name; ``None`` for those of sRGB.

    Raises:
        ImageReadError: The code points are none that pochoir knows.
    """
    if primaries == _UNSPECIFIED:
        primaries = 1
    if primaries not in _PRIMARIES:
        raise ImageReadError(f"its colour primaries have the code {primaries}, which pochoir does not know")
    name, chromaticities = _PRIMARIES[primaries]
    own = None if primaries == 1 else chromaticities
    if transfer in _SRGB_LIKE_TRANSFERS:
        return None if own is None else Encoding(name, own, None)
    if transfer in (16, 18):
        curve = _pq_to_linear if transfer == 16 else _hlg_to_linear
        return Encoding(f"high dynamic range ({'PQ' if transfer == 16 else 'HLG'}, {name})", own, curve, is_hdr=True)
    gamma = {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}.get(transfer)
    if gamma is None:
        raise ImageReadError(f"its transfer function has the code {transfer}, which pochoir does not know")
    return Encoding(f"{name} with gamma {gamma:g}", own, _power(gamma))


def encoding_of_gamma(gamma: float | None, primaries: Chromaticities | None) -> Encoding | None:
    """Return the colours that a PNG's gAMA and cHRM chunks describe; ``None`` for those of sRGB.

    Args:
        gamma: Exponent from light to samples, such as 0.45455.
        primaries: Chromaticities of red, green, blue and white.
    """
    if primaries is not None and _are_close(primaries, SRGB_PRIMARIES):
        primaries = None
    is_srgb_curve = gamma is None or abs(gamma - _GAMMA_OF_SRGB) <= _GAMMA_SLACK
    if gamma is None or (is_srgb_curve and primaries is None):
        return None if primaries is None else Encoding("the file's own primaries", primaries, None)
    name = f"gamma {1 / gamma:.3g}" + ("" if primaries is None else " and the file's own primaries")
    return Encoding(name, primaries, _power(1 / gamma))


def _power(exponent: float) -> Callable[[Linear], Linear]:
    def to_linear(values: Linear) -> Linear:
        return values.clip(0, None) ** np.float32(exponent)

    return to_linear


def _pq_to_linear(values: Linear) -> Linear:
    """Undo SMPTE ST 2084; 1 is the white of a page."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = values.astype(np.float64).clip(0, 1) ** (1 / m2)
    nits = 10_000 * ((power - c1).clip(0, None) / (c2 - c3 * power)) ** (1 / m1)
    return (nits / _PAGE_WHITE_NITS).astype(np.float32)


def _hlg_to_linear(values: Linear) -> Linear:
    """Undo hybrid log-gamma (ITU-R BT.2100) for a display of 1000 nits; 1 is the white of a page."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    signal = values.astype(np.float64).clip(0, 1)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    light = scene if scene.shape[-1] == 1 else scene @ np.array([[0.2627], [0.678], [0.0593]])
    nits: npt.NDArray[np.float64] = 1000 * scene * light.clip(1e-9, None) ** 0.2
    return (nits / _PAGE_WHITE_NITS).astype(np.float32)


def _rgb_to_xyz(primaries: Chromaticities) -> npt.NDArray[np.float64]:
    columns = np.stack([_xyz(point) for point in primaries[:3]], axis=1)
    return columns * np.linalg.solve(columns, _xyz(primaries[3]))


def _xyz(point: Sequence[float]) -> npt.NDArray[np.float64]:
    x, y = point
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _adaptation(source: Sequence[float], target: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the Bradford matrix from one white point to another."""
    scale = (_BRADFORD @ _xyz(target)) / (_BRADFORD @ _xyz(source))
    matrix: npt.NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ (scale[:, None] * _BRADFORD)
    return matrix


def _are_close(one: Chromaticities, other: Chromaticities) -> bool:
    return bool(np.abs(np.array(one) - np.array(other)).max() <= _PRIMARIES_SLACK)
