"""Strips that show the motions on one subject, without painting it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pochoir import imaging
from pochoir.animation.clip import Clip
from pochoir.errors import OptionError

FRAMES = 6
TILE_PX = 128


@dataclass
class Strips:
    """One strip of frames for each motion.

    Attributes:
        names: Motions that are shown.
        left_out: Motions that the subject cannot do, and why.
        tiles: Caption and picture of each frame.
    """

    names: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    tiles: list[tuple[str, Tensor]] = field(default_factory=list)

    @property
    def sheet(self) -> Tensor:
        """All strips, one below the other, shape (1, 3, H, W)."""
        return imaging.contact_sheet(self.tiles, columns=FRAMES, tile_px=TILE_PX)

    def add(self, name: str, clip: Clip) -> None:
        """Add the strip of one motion."""
        self.names.append(name)
        for step in range(FRAMES):
            frame = clip.frame_at(round(step * len(clip) / FRAMES / 2))
            picture = torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255
            self.tiles.append((name if step == 0 else "", picture))


def draw_strips(trials: Iterable[tuple[str, Clip | str]]) -> Strips:
    """Draw every motion that a subject can do.

    Args:
        trials: Each motion's name with its clip, or with the reason why the subject cannot do it.

    Raises:
        OptionError: The subject can do none.
    """
    strips = Strips()
    for name, clip in trials:
        if isinstance(clip, str):
            strips.left_out[name] = clip
        else:
            strips.add(name, clip)
    if not strips.names:
        raise OptionError("The subject can do none of the motions.")
    return strips
