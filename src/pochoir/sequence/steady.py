"""Steadying of a film along its motion: each picture takes a part of its neighbours where they show the same."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pochoir.sequence.painter import Frame
from pochoir.video.flow import Flows
from pochoir.video.warping import is_inside, photo_error, warp

Pixels = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float32]

SHARE: Final = 1 / 3
"""Part of a picture that each neighbour makes up where it shows the same."""
PASSES: Final = 2
"""Passes over the film. A third one would take 3 % off the error; one that mixes all detail 14 %, and 4 % off the
sharpness."""
FRAME_LEVELS: Final = 14.0
"""Difference between a frame and a warped neighbour, in 8-bit levels, at which this part has fallen to 1 / e."""
FRAME_SIGMA: Final = 1.5
DETAIL_SIGMA: Final = 1.0
"""Detail is what a blur of so many pixels removes."""
CHANGE_SIGMA: Final = 1.5
REPEAT_MEAN_LEVELS, REPEAT_MOST_LEVELS = 0.15, 8.0
"""Mean and largest difference of two frames, the latter blurred, in 8-bit levels, below which one repeats the other:
codecs change repeated frames a little."""
REPEAT_SIGMA: Final = 2.0
MOST_REPEATS: Final = 4
"""Repeated frames that count as one; a camera that creeps must not wait for longer."""
CHANGED_FROM, CHANGED_TO = 2.0, 6.0
"""Change of a painting without its detail, in 8-bit levels, from which and up to which detail is mixed, too."""


class Step(NamedTuple):
    """Motion from a frame to its neighbour, in few bytes: many wait in memory."""

    flow: npt.NDArray[np.float16]
    """Shape (H, W, 2), in pixels."""
    trust: Pixels
    """Confidence that the neighbour shows the same, from 0 to 255, shape (H, W)."""


class Link(NamedTuple):
    """Motion between a frame and the next one."""

    there: Step
    back: Step
    is_repeat: bool
    """True if the next frame repeats this one."""


class Moment(NamedTuple):
    """A drawing of the film on its way."""

    frame: Frame
    picture: Pixels
    """Its painting, shape (H, W, 3)."""
    link: Link | None = None
    """To the next drawing; None at the end of a shot and where nothing is painted."""
    is_mixed: bool = False
    """True if the painting has taken on parts of others."""

    def finished(self) -> Pixels:
        """Return the drawing of the film, shape (H, W, 3) or with alpha (H, W, 4)."""
        picture = self.frame.settle(self.picture.astype(np.float32)) if self.is_mixed else self.picture
        return self.frame.finish(picture)


class Steady:
    """Mixes each picture with both neighbours, warped onto it, where the frames show the same.

    Strokes that change from frame to frame by chance, and specks, are averaged; moving ones stay. The mean of warped
    pictures is a little blurred. So fine detail is mixed only where the painting changes; elsewhere that would cost
    sharpness and gain hardly any steadiness.
    """

    def __init__(self) -> None:
        self._before: Moment | None = None
        self._now: Moment | None = None

    def push(self, moment: Moment) -> Iterator[Moment]:
        """Take the next drawing, and yield what is finished with it: the one before it, and the last of a shot."""
        if self._now is not None:
            yield self._mixed(self._now, moment)
            self._before = self._now
        self._now = moment
        if moment.link is None:
            yield from self.end()

    def end(self) -> Iterator[Moment]:
        """Yield the last drawing, which waits for a next one."""
        if self._now is not None:
            yield self._mixed(self._now, None)
        self._before = self._now = None

    def _mixed(self, now: Moment, after: Moment | None) -> Moment:
        before = self._before
        neighbours = []
        if before is not None and before.link is not None:
            neighbours.append((before.picture, before.link.back))
        if after is not None and now.link is not None:
            neighbours.append((after.picture, now.link.there))
        if not neighbours:
            return now
        total = now.picture.astype(np.float32)
        changes = [self._change(now.picture, picture, step) for picture, step in neighbours]
        mixed = np.clip(np.rint(sum(changes, total)), 0, 255).astype(np.uint8)
        return now._replace(picture=mixed, is_mixed=True)

    def _change(self, picture: Pixels, other: Pixels, step: Step) -> Map:
        """Return what a picture takes on from its neighbour, shape (H, W, 3), in 8-bit levels."""
        change = warp(other, step.flow.astype(np.float32)) - picture
        coarse = cv2.GaussianBlur(change, (0, 0), DETAIL_SIGMA)
        size = cv2.GaussianBlur(np.abs(coarse).mean(axis=2), (0, 0), CHANGE_SIGMA)
        part = np.clip((size - CHANGED_FROM) / (CHANGED_TO - CHANGED_FROM), 0.0, 1.0)
        change = coarse + part[..., None] * (change - coarse)
        return np.asarray(change * (step.trust * np.float32(SHARE / 255))[..., None], np.float32)


class Steadying:
    """All passes over a film. Repeated frames count as one."""

    def __init__(self) -> None:
        self._passes = [Steady() for _ in range(PASSES)]
        self._run: list[Moment] = []
        self._runs: deque[list[Moment]] = deque()

    def push(self, moment: Moment) -> Iterator[Moment]:
        """Take the next drawing, and yield what is finished with it, in order."""
        self._run.append(moment)
        if moment.link is not None and moment.link.is_repeat and len(self._run) < MOST_REPEATS:
            return
        self._runs.append(self._run)
        self._run = []
        moments = [moment]
        for steady in self._passes:
            moments = [done for once in moments for done in steady.push(once)]
        yield from self._released(moments)

    def end(self) -> Iterator[Moment]:
        """Yield the drawings that wait for others, which do not follow: a partial film ends with them."""
        moments = self._run[-1:]
        if self._run:
            self._runs.append(self._run)
            self._run = []
        for steady in self._passes:
            moments = [*(done for once in moments for done in steady.push(once)), *steady.end()]
        yield from self._released(moments)

    def _released(self, moments: list[Moment]) -> Iterator[Moment]:
        for done in moments:
            run = self._runs.popleft()
            for each in run:
                yield each._replace(picture=done.picture, is_mixed=done.is_mixed or len(run) > 1)


def link(frames: Sequence[Pixels], flows: Flows, at: int, still: tuple[Map | None, Map | None] = (None, None)) -> Link:
    """Return the motion between a frame and the next one.

    Args:
        frames: The frames that ``flows`` is of.
        flows: Flow between them.
        at: Number of the frame.
        still: Where this frame and the next one are the plate's, in [0, 1], which must not change; None is nowhere.
    """
    steps = (_step(frames, flows, at, at + 1, still[0]), _step(frames, flows, at + 1, at, still[1]))
    return Link(*steps, is_repeat=_is_repeat(frames[at], frames[at + 1]))


def _is_repeat(frame: Pixels, following: Pixels) -> bool:
    difference = np.abs(following.astype(np.float32) - frame)
    if float(difference.mean()) >= REPEAT_MEAN_LEVELS:
        return False
    return float(cv2.GaussianBlur(difference.max(axis=2), (0, 0), REPEAT_SIGMA).max()) < REPEAT_MOST_LEVELS


def _step(frames: Sequence[Pixels], flows: Flows, at: int, to: int, still: Map | None) -> Step:
    flow = flows.flow(at, to).astype(np.float16)
    used = flow.astype(np.float32)
    error = cv2.GaussianBlur(photo_error(frames[at], frames[to], used), (0, 0), FRAME_SIGMA)
    trust = np.exp(-np.square(error / np.float32(FRAME_LEVELS))) * is_inside(used)
    if still is not None:
        trust = trust * (1.0 - still)
    return Step(flow, np.rint(trust * 255).astype(np.uint8))
