"""Mattes of all frames of a shot: found every few frames, decided by votes along the flow, carried in between."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pochoir.errors import OptionError, ShapeError
from pochoir.segmentation import refine_matte
from pochoir.segmentation.matting.guided_filter import guided_filter
from pochoir.sequence.votes import Matte, Sight, settle
from pochoir.video.warping import FlowField, warp

Matte8 = npt.NDArray[np.uint8]
Rgb = npt.NDArray[np.uint8]
GivenCorrection = TypeVar("GivenCorrection", contravariant=True)

EVERY: Final = 3
"""Frames from one look of the network to the next."""
_MOST_COARSE: Final = 4
_FOLLOW_EPS: Final = 1e-3
_CRUMB_PX: Final = 3
"""Window of the median that removes what torn flow leaves behind in between, and of what counts as torn."""
_EMPTY_BELOW: Final = 0.5
_AGREES_FROM: Final = 0.8
"""Overlap with the settled matte from which on a look agrees with it."""


class FlowsLike(Protocol):
    """Flow between any two frames of a shot, and what is seen in both; see ``video.flow.Flows``."""

    def flow(self, i: int, j: int) -> FlowField:
        """Return where each pixel of frame ``i`` is in frame ``j``."""

    def visible(self, i: int, j: int) -> Matte:
        """Return how surely each pixel of frame ``i`` is also seen in frame ``j``."""


class Find(Protocol[GivenCorrection]):
    """Function that finds the subject of one frame.

    It takes the frame, shape (H, W, 3), uint8, and the user's correction of this frame or None. It returns a matte of
    shape (H, W), float in [0, 1].
    """

    def __call__(self, frame: Rgb, correction: GivenCorrection | None, /) -> npt.NDArray[np.floating]:
        """Find the subject."""


@dataclass
class MatteTracker:
    """Mattes of the frames of one shot; iterate to get them in order.

    Attributes:
        frames: The frames, shape (H, W, 3), uint8, all of one size; read as they are needed.
        flows: Flow between them.
        find: Function that finds the subject in one frame.
        every: Frames from one look to the next.
        corrections: The user's corrections by frame, passed on to ``find``; a matte of shape (H, W) is used as it is.
        read: Function that returns the look at a frame from an earlier run, or None.
        write: Function that keeps the look at a frame, uint8.
        numbers: Function that returns the numbers that notes give to a frame; None counts from 0.
        notes: Sentences for the user, complete after the last frame.
    """

    frames: Sequence[Rgb]
    flows: FlowsLike
    find: Find[object]
    every: int = EVERY
    corrections: Mapping[int, object] = field(default_factory=dict)
    read: Callable[[int], Matte8 | None] | None = None
    write: Callable[[int, Matte8], object] | None = None
    numbers: Callable[[int], Sequence[int]] | None = None
    notes: list[str] = field(default_factory=list)
    _packed: dict[int, npt.NDArray[np.uint8]] = field(default_factory=dict, init=False, repr=False)

    def __iter__(self) -> Iterator[Matte8]:
        count = len(self.frames)
        if not count:
            return
        stops = sorted({*range(0, count, self.every), count - 1, *self.corrections})
        empty: list[int] = []
        disputed: list[int] = []
        before: tuple[int, Matte] | None = None
        for stop, (matte, agreement) in zip(stops, settle(stops, self, self.corrections), strict=True):
            if agreement < _AGREES_FROM and _is_filled(matte):
                disputed.append(stop)
            if before is not None:
                for between in range(before[0] + 1, stop):
                    yield self._finish(between, self._between(between, before, (stop, matte)), empty)
            yield self._finish(stop, matte, empty)
            before = stop, matte
        if empty:
            self.notes.append(f"no subject was found in {self._name(empty)}")
        doubted = _runs(stops, disputed)
        if doubted:
            self.notes.append(
                f"the subject is uncertain in {self._name(doubted)}, where looks at it differ: check it with "
                "--as matte and correct one frame with --keep-points, --drop-points, --box or --mask-frame"
            )

    def look(self, index: int) -> Matte:
        """Return the network's answer in one frame, rounded to 8 bits so that a stored one gives the same result."""
        packed = self._packed.get(index)
        if packed is not None:
            return _to_float(np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)))
        size = self.frames[index].shape[:2]
        kept = None if self.read is None else self.read(index)
        if kept is not None and kept.shape == size:
            return _to_float(kept)
        rounded = self._find(index, size)
        if self.write is not None:
            self.write(index, rounded)
        if self.read is None and self.corrections:  # frames before a correction are looked at twice
            self._packed[index] = cv2.imencode(".png", rounded)[1]
        return _to_float(rounded)

    def _find(self, index: int, size: tuple[int, ...]) -> Matte8:
        correction = self.corrections.get(index)
        is_matte = isinstance(correction, np.ndarray) and correction.ndim == 2
        found = np.asarray(correction if is_matte else self.find(self.frames[index], correction))
        if found.shape != size:
            raise ShapeError(f"The matte of frame {index} has the shape {found.shape}, the frame {size}.")
        return found if found.dtype == np.uint8 else np.rint(found.clip(0, 1) * 255).astype(np.uint8)

    def see(self, here: int, there: int) -> Sight:
        """Return a frame as seen from another."""
        return Sight(self.flows.flow(here, there), self.flows.visible(here, there))

    def follow(self, index: int, values: Matte, radius: float) -> Matte:
        """Smooth a map so that its edges are those of a frame, over a radius as a share of the long side."""
        radius_px = max(1, round(radius * max(values.shape)))
        coarseness = max(1, min(_MOST_COARSE, radius_px // 4))
        smooth = guided_filter(
            _to_tensor(values), self._photo(index), radius_px=radius_px, eps=_FOLLOW_EPS, subsampling=coarseness
        )
        return np.asarray(smooth[0, 0].numpy(), np.float32)

    def snap(self, index: int, matte: Matte) -> Matte:
        """Move the edges of a matte to those of a frame."""
        return np.asarray(refine_matte(_to_tensor(matte), self._photo(index))[0, 0].numpy(), np.float32)

    def _photo(self, index: int) -> Tensor:
        return torch.from_numpy(self.frames[index].copy()).permute(2, 0, 1)[None].float() / 255.0

    def _between(self, index: int, before: tuple[int, Matte], after: tuple[int, Matte]) -> Matte:
        """Carry the mattes on both sides to a frame, weighted by time and by what is seen."""
        total, weights, seen = (np.zeros_like(before[1]) for _ in range(3))
        span = after[0] - before[0]
        for stop, matte in (before, after):
            sight = self.see(index, stop)
            weight = np.float32(1 - abs(stop - index) / span) * (sight.visible + np.float32(1e-3))
            total = total + weight * warp(matte, sight.flow, interpolation="linear")
            weights = weights + weight
            seen = np.maximum(seen, sight.visible)
        carried = np.asarray(cv2.medianBlur(np.asarray(total / weights, np.float32), _CRUMB_PX), np.float32)
        # What neither side sees is torn; there the frame itself shows the edges.
        surely = cv2.GaussianBlur(cv2.erode(seen, np.ones((_CRUMB_PX, _CRUMB_PX), np.uint8)), (0, 0), 1.0)
        return np.asarray(surely * carried + (1 - surely) * self.snap(index, carried), np.float32)

    def _finish(self, index: int, matte: Matte, empty: list[int]) -> Matte8:
        if not _is_filled(matte):
            empty.append(index)
            return np.zeros(matte.shape, np.uint8)
        return np.asarray(np.rint(matte.clip(0, 1) * 255), np.uint8)

    def _name(self, indices: Sequence[int]) -> str:
        """Return frames as text, by the numbers that notes give to them."""
        if self.numbers is None:
            return _ranges(indices)
        return _ranges([number for index in indices for number in self.numbers(index)])


def track_mattes(
    frames: Sequence[Rgb],
    flows: FlowsLike,
    find: Find[object],
    *,
    every: int = EVERY,
    corrections: Mapping[int, object] | None = None,
    read: Callable[[int], Matte8 | None] | None = None,
    write: Callable[[int, Matte8], object] | None = None,
    numbers: Callable[[int], Sequence[int]] | None = None,
) -> MatteTracker:
    """Find the subject in all frames of one shot, steadily.

    ``find`` looks at every third frame. Its answers are aligned by the flow, and each pixel's decision is the vote of
    the looks around it, with a preference for the decision before: ears do not drop, and the subject does not hop from
    object to object. A corrected frame is followed forward and backward through the shot, and outweighs the votes.
    Frames in between take the mattes on both sides along the flow.

    Args:
        frames: The frames, shape (H, W, 3), uint8, all of one size.
        flows: Flow between them.
        find: Function from a frame and its correction, or None, to a matte (H, W), float in [0, 1].
        every: Frames from one look to the next, from 1 on.
        corrections: The user's corrections by the frame's number in the shot: mattes (H, W), or anything that ``find``
            takes.
        read: Function that returns the look at a frame from an earlier run, or None.
        write: Function that keeps the look at a frame, uint8, for a later run.
        numbers: Function that returns the numbers that notes give to a frame; None counts from 0.

    Returns:
        An iterable of mattes (H, W), uint8, one for each frame in order; ``notes`` says what was found.

    Raises:
        OptionError: ``every`` is below 1, or a correction is of no frame of the shot.
        ShapeError: ``find`` returned a matte of another size.
    """
    if every < 1:
        raise OptionError(f"The subject is looked for every 1 or more frames; got {every}.")
    given = dict(corrections or {})
    outside = [index for index in given if not 0 <= index < len(frames)]
    if outside:
        raise OptionError(f"The shot has no frame {outside[0]}: its frames are 0 to {len(frames) - 1}.")
    return MatteTracker(frames, flows, find, every, given, read, write, numbers)


def _is_filled(matte: Matte) -> bool:
    return bool((matte > _EMPTY_BELOW).any())


def _to_float(matte: npt.NDArray[Any]) -> Matte:
    return matte.astype(np.float32) / np.float32(255)


def _to_tensor(values: Matte) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))[None, None]


def _runs(stops: Sequence[int], disputed: Sequence[int]) -> list[int]:
    """Return the frames of two or more disputed looks in a row, with those in between; a single one is outvoted."""
    runs = (list(run) for is_disputed, run in itertools.groupby(stops, disputed.__contains__) if is_disputed)
    return [index for run in runs if len(run) > 1 for index in range(run[0], run[-1] + 1)]


def _ranges(indices: Sequence[int]) -> str:
    """Return numbers as text: ``frames 3 to 9 and 12``."""
    spans: list[list[int]] = []
    for index in indices:
        if spans and index == spans[-1][1] + 1:
            spans[-1][1] = index
        else:
            spans.append([index, index])
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in spans]
    word = "frame" if len(indices) == 1 else "frames"
    return f"{word} {', '.join(texts[:-1])} and {texts[-1]}" if len(texts) > 1 else f"{word} {texts[0]}"


__all__ = ["EVERY", "Find", "FlowsLike", "MatteTracker", "track_mattes"]
