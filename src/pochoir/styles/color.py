"""Palettes: colours by hex code, ramps, jitter, and transparent pigments."""

import numpy as np
import numpy.typing as npt

from pochoir.styles.canvas import Bytes, Field

_RAMP_STEPS = 1024


def colors(codes: str) -> Field:
    """Return colours from ``#rrggbb`` codes with spaces between, shape (N, 3), sRGB in [0, 1]."""
    channels = [[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in codes.split()]
    return np.array(channels, dtype=np.float32) / 255.0


def ramp(values: Field, codes: str) -> Field:
    """Return colours along evenly spaced stops.

    Args:
        values: Positions, any shape, 0 at the first stop and 1 at the last; held at the ends.
        codes: ``#rrggbb`` codes of the stops, with spaces between.

    Returns:
        Colours, the shape of ``values`` and (3,), in [0, 1].
    """
    stops = colors(codes)
    steps = np.linspace(0.0, len(stops) - 1.0, _RAMP_STEPS)
    table = np.stack([np.interp(steps, np.arange(len(stops)), stops[:, c]) for c in range(3)], axis=1)
    index = np.clip(values * (_RAMP_STEPS - 1), 0, _RAMP_STEPS - 1).astype(np.int32)
    shades: Field = table.astype(np.float32)[index]
    return shades


def jitter(rng: np.random.Generator, palette: Field, *, hue: float, value: float) -> Field:
    """Vary colours as a painter's mixing does.

    Args:
        rng: Source of the variation.
        palette: Colours (N, 3).
        hue: Spread of each channel by itself, standard deviation.
        value: Spread of all channels together, standard deviation.

    Returns:
        Colours (N, 3) in [0, 1].
    """
    spread = rng.normal(0.0, hue, palette.shape) + rng.normal(0.0, value, (len(palette), 1))
    return np.clip(palette + spread, 0.0, 1.0).astype(np.float32)


def mix(under: Field, over: Field, share: Field) -> Field:
    """Blend ``over`` onto ``under`` (both broadcast to (H, W, 3)) with opacity ``share`` (H, W)."""
    mixed: Field = over - under
    mixed *= share[..., None]
    mixed += under
    return mixed


def pigment(paper: Field, code: str, density: Field) -> Field:
    """Return paper under a transparent pigment, by the Beer-Lambert law.

    Args:
        paper: Picture (H, W, 3).
        code: ``#rrggbb`` colour that density 1 gives on white.
        density: Pigment for each pixel (H, W), at least 0.

    Returns:
        Picture (H, W, 3).
    """
    absorbance = np.log(np.maximum(colors(code)[0], 0.02))
    stained: Field = paper * np.exp(density[..., None] * absorbance)
    return stained


def smoothstep(low: float, high: float, values: Field) -> Field:
    """Return 0 below ``low``, 1 above ``high``, and a smooth rise between; it falls if ``low`` is larger."""
    share: Field = (values - np.float32(low)) * np.float32(1.0 / (high - low))
    np.clip(share, 0.0, 1.0, out=share)
    share *= share * (3.0 - 2.0 * share)
    return share


def to_bytes(picture: Field) -> Bytes:
    """Convert a picture in [0, 1] to 8 bits."""
    return (np.clip(picture, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def to_floats(picture: Bytes) -> Field:
    """Convert an 8-bit picture to [0, 1]."""
    return picture.astype(np.float32) / 255.0


def ink(color: npt.ArrayLike) -> tuple[float, float, float]:
    """Convert a colour in [0, 1] to the form that OpenCV's drawing functions take."""
    red, green, blue = (np.clip(np.asarray(color, dtype=float), 0.0, 1.0) * 255.0).tolist()
    return red, green, blue
