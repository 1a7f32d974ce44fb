"""Reports of the engine that paints a video: progress in its stages, and finished frames in their order."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

Stage = Literal["cuts", "mattes", "keys", "frames"]


@dataclass(frozen=True, eq=False)
class Advanced:
    """The engine has done a part of its work.

    Attributes:
        stage: Kind of the part.
        done: Parts of this stage that are done, in the whole video.
        total: Parts of this stage; an estimate while the video has not been read to its end.
        cost: Work done so far as a share of the whole, from 0 to 1; None while it is not known.
        picture: Picture to show: a key that was painted, shape (H, W, 3); None where there is none.
        resumed: True if the part was in the store already.
    """

    stage: Stage
    done: int
    total: int
    cost: float | None = None
    picture: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    resumed: bool = False


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame of the film is finished.

    Attributes:
        index: Number of the frame in the film, counted from 0.
        time_s: Time at which it appears, in seconds after the film's first frame.
        duration: Time until the next frame, in seconds; None if the file does not state it.
        pixels: Painting (H, W, 3), cutout (H, W, 4) with straight alpha, or matte (H, W, 3).
    """

    index: int
    time_s: Fraction
    duration: Fraction | None
    pixels: npt.NDArray[np.uint8] = field(repr=False)


SequenceEvent = Advanced | Shown
