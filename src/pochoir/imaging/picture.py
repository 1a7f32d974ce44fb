"""Decoded pictures and mattes."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from pochoir._types import Size
from pochoir.imaging.alpha import AlphaKind, judge_alpha
from pochoir.imaging.raster import Metadata


@dataclass(frozen=True, eq=False)
class Picture:
    """Decoded picture."""

    rgb: Tensor = field(repr=False)
    """Upright sRGB colours in [0, 1], float32, shape (1, 3, H, W); not multiplied by alpha."""
    alpha: Tensor | None = field(repr=False)
    """Opacity in [0, 1], shape (1, 1, H, W); ``None`` if all of it is 1, or if it was a mistake (see ``notes``)."""
    name: str
    """File name without its folder, or ``"<image>"`` for a picture in memory."""
    path: str | None
    """Path as it was given; ``None`` for a picture in memory."""
    sha256: str
    """Hash of the file's bytes; for a picture in memory, of its decoded values and size."""
    notes: tuple[str, ...] = ()
    """Conversions, for example ``"CMYK without a profile converted to RGB"``."""
    metadata: Metadata = field(default_factory=Metadata)
    """Facts of the file that a painted picture may keep."""

    def __repr__(self) -> str:
        alpha = ", with alpha" if self.alpha is not None else ""
        return f"Picture({self.name!r}, {self.size}{alpha}, {len(self.notes)} notes)"

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return Size(*self.rgb.shape[-2:])

    @cached_property
    def alpha_kind(self) -> AlphaKind:
        """Meaning of ``alpha``: only ``AlphaKind.CUTOUT`` says what the subject is."""
        return judge_alpha(self.rgb, self.alpha).kind

    @property
    def rgb_or_rgba(self) -> Tensor:
        """Colours with their opacity if there is one, shape (1, 3 or 4, H, W)."""
        return self.rgb if self.alpha is None else torch.cat([self.rgb, self.alpha], dim=1)


@dataclass(frozen=True, eq=False)
class Matte:
    """Decoded mask; fields have the meaning that they have in ``Picture``."""

    matte: Tensor = field(repr=False)
    """Values in [0, 1], 1 is subject, float32, shape (1, 1, H, W)."""
    name: str
    path: str | None
    sha256: str
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Matte({self.name!r}, {self.size}, {len(self.notes)} notes)"

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return Size(*self.matte.shape[-2:])


PictureSource: TypeAlias = str | os.PathLike[str] | Image.Image | npt.NDArray[Any] | Tensor | Picture
