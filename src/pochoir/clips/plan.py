"""Plan of a clip: its size, its room around the photo, and who does what."""

from functools import partial
from typing import Any, Final

import numpy as np

from pochoir._types import Size
from pochoir.animation.arrays import Layer, Mask, Picture, Plane
from pochoir.animation.body import measure
from pochoir.animation.casting import Cast, cast
from pochoir.animation.gaits import facing
from pochoir.animation.mesh import RIM_PX
from pochoir.animation.plate import hole_of
from pochoir.animation.rig import Rig
from pochoir.animation.settings import ClipSettings
from pochoir.animation.timing import Timing
from pochoir.recipe import Recipe, RegionSettings

MOST_AUTO_MARGIN: Final = 0.35
"""Widest margin that is added without being asked for, as a share of the long side."""
_SIDES: Final = ("left", "top", "right", "bottom")
_SAMPLES: Final = 36
_LEAST_OVERFLOW: Final = 0.025
"""Overflow that nobody misses, as a share of the long side."""
_SCROLL_S: Final = 1.9
"""Seconds, about, in which the background of ``run`` passes by once."""


class Plan:
    """Size, room and cast of a clip."""

    def __init__(
        self, photo: Picture, alpha: Plane, settings: ClipSettings, rig: Rig | None, *, is_transparent: bool
    ) -> None:
        self.timing = Timing(float(settings.duration), settings.fps, settings.loop, settings.on)
        self._photo, self._alpha = photo, alpha
        size = Size(*alpha.shape)
        rig = None if rig is None else rig.resized(size)
        self.cast: Cast = cast(photo, alpha, settings.moves, rig)
        self._room = self._find_room(settings, size)
        self.size = size
        if any(self._room):
            left, top, right, bottom = self._room
            self.size = Size(size.height + top + bottom, size.width + left + right)
            known = rig or (self.cast.rigs[0] if len(self.cast.rigs) == 1 and len(self.cast.roles) == 1 else None)
            wider = None if known is None else known.moved(left, top, self.size)
            self.cast = cast(self._pad(photo), self._pad(alpha), settings.moves, wider)
        self.scroll = self._find_scroll(settings) if not is_transparent else 0

    def place(self, cutout: Layer) -> Layer:
        """Put a cutout of the photo's size onto the clip's canvas."""
        return self._pad(cutout)

    def plate_hole(self) -> tuple[Picture, Mask]:
        """Return the photo on the clip's canvas, and the pixels of it that have to be filled."""
        around = np.pad(np.zeros(self._alpha.shape, bool), self._widths, constant_values=True)
        return self._pad(self._photo), hole_of(self._pad(self._alpha)) | around

    @property
    def _widths(self) -> tuple[tuple[int, int], tuple[int, int]]:
        left, top, right, bottom = self._room
        return (top, bottom), (left, right)

    def _pad(self, picture: Plane) -> Plane:
        widths: list[tuple[int, int]] = [*self._widths] + [(0, 0)] * (picture.ndim - 2)
        return np.ascontiguousarray(np.pad(picture, widths))

    def _find_room(self, settings: ClipSettings, size: Size) -> tuple[int, int, int, int]:
        """Return the pixels to add at the left, top, right and bottom; none where the frame cuts the subject off."""
        touched = measure(self._alpha).touched
        if settings.margin is not None:
            width = round(settings.margin * size.long_side)
            wanted = dict.fromkeys(_SIDES, width)
        else:
            wanted = self._overflow(settings, size)
        left, top, right, bottom = (
            0 if side in touched else wanted[side] for side in ("left", "top", "right", "bottom")
        )
        return left, top, right, bottom

    def _overflow(self, settings: ClipSettings, size: Size) -> dict[str, int]:
        """Return how far the subject leaves the frame at each side during the clip."""
        if settings.towards is not None or any(move.motion.name == "peek" for move in settings.moves):
            return dict.fromkeys(_SIDES, 0)
        low, high = np.zeros(2), np.array([size.width - 1.0, size.height - 1.0])
        for role in self.cast.roles:
            for index in range(0, self.timing.frames, max(1, self.timing.frames // _SAMPLES)):
                points = role.puppet.pose(role.moves, partial(self.timing.phase, index))
                low = np.minimum(low, points.min(axis=0) + RIM_PX)
                high = np.maximum(high, points.max(axis=0) - RIM_PX)
        most = MOST_AUTO_MARGIN * size.long_side
        over = np.array([-low[0], -low[1], high[0] - size.width + 1, high[1] - size.height + 1])
        rounded = np.where(over > _LEAST_OVERFLOW * size.long_side, np.minimum(np.ceil(over) + 4, most), 0).astype(int)
        return dict(zip(_SIDES, rounded.tolist(), strict=True))

    def _find_scroll(self, settings: ClipSettings) -> int:
        if not any(move.motion.name == "run" for move in settings.moves) or not self.cast.rigs:
            return 0
        face = settings.moves[0].face or facing(self.cast.rigs[0])
        return -face * max(1, round(self.timing.duration_s / _SCROLL_S))


def without_background(recipe: Recipe) -> Recipe:
    """Return the recipe without the style of the background and its settings."""
    own = dict.fromkeys(name for name in RegionSettings.model_fields if name.startswith("background_"))
    return recipe.replace(**own, background_style=(), background_style_mask=())


def plate_recipe(recipe: Recipe, region: str, size: Size) -> Recipe:
    """Return the recipe that paints the plate: a whole picture of this size, with the settings of the background."""
    values: dict[str, Any] = dict.fromkeys(("mask", "scribble"))
    for name in RegionSettings.model_fields:
        prefix, _, setting = name.partition("_")
        if prefix == "background" and region == "background_style" and getattr(recipe, name) is not None:
            values[setting] = getattr(recipe, name)
        values[name] = None
    for prefix in ("subject_style", "background_style"):
        values |= {prefix: (), f"{prefix}_mask": ()}
    values |= {"style": getattr(recipe, region), "style_mask": getattr(recipe, f"{region}_mask")}
    return recipe.replace(**values, backdrop="photo", size=size.long_side, full_size=False)
