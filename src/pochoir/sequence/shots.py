"""Painting of one shot: keys one after the other, and the drawings between them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pochoir.sequence.carry import between, carry, carry_faces, fill, known_around, smoothed
from pochoir.sequence.frames import Shot
from pochoir.sequence.keys import MOST_DISTANCE, choose_next
from pochoir.sequence.painter import Frame, FramePainter, ShotColors
from pochoir.sequence.plate import Plate, begin_plate
from pochoir.sequence.steady import Moment, link
from pochoir.sequence.store import Store
from pochoir.video.flow import Flows

Pixels = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float32]

KEY: Final = "key"
"""Kind of the keys' paintings in a store."""


class Key(NamedTuple):
    """A key that is painted."""

    number: int
    """Number in the film's drawings."""
    painting: Pixels
    """Shape (H, W, 3)."""
    resumed: bool
    """True if it was in the store."""


@dataclass(eq=False)
class Segment:
    """The drawings from one key up to the next. They depend on nothing else that is painted.

    Attributes:
        first: Number of the first key in the film's drawings.
        frames: The drawings from the first key to the second, prepared.
        flows: Flow between the pictures that are painted over; None for a single drawing.
        paintings: Of the two keys; the second is missing after the last key of a shot.
        plate: Still part of the shot as the first key knows it; None where the camera moves.
    """

    first: int
    frames: list[Frame] = field(repr=False)
    flows: Flows | None = field(repr=False)
    paintings: tuple[Pixels, ...] = field(repr=False)
    plate: Plate | None = field(default=None, repr=False)

    @property
    def last(self) -> int:
        """Number of the second key in ``frames``."""
        return len(self.frames) - 1

    def moments(self) -> Iterator[Moment]:
        """Yield the drawings from the first key up to the one before the second, or the last key alone."""
        if self.flows is None or not self.last:
            yield Moment(self.frames[0], self.paintings[0])
            return
        pictures = [each.ground for each in self.frames]
        stills = [self._still(frame) for frame in self.frames]
        for at, frame in enumerate(self.frames[:-1]):
            painting = self._between(pictures, self.flows, at, stills[at]) if at else self.paintings[0]
            yield Moment(frame, painting, link(pictures, self.flows, at, (stills[at], stills[at + 1])))

    def _between(self, pictures: list[Pixels], flows: Flows, at: int, still: Map | None) -> Pixels:
        frame = self.frames[at]
        if not frame.is_painted:
            return frame.ground
        pair, keys = (self.paintings[0], self.paintings[1]), (0, self.last)
        picture = between(pair, pictures, flows, keys=keys, at=at, subject=frame.subject)
        return frame.settle(picture if self.plate is None or still is None else self.plate.lay(picture, still))

    def _still(self, frame: Frame) -> Map | None:
        return None if self.plate is None else self.plate.stillness(frame.ground, frame.background)


@dataclass(eq=False)
class ShotPainter:
    """Paints the keys of a shot, and yields them and the segments between them.

    Keys follow from the keys before, so they are painted in order. Paintings are passed on in 8 bits: a key that is
    read from the store continues to the same bytes.

    Attributes:
        shot: The drawings.
        painter: Paints single frames.
        store: Keeps the keys.
        every: Distance of keys; None chooses it.
        mattes: The subject of each drawing in order; None where nothing needs it.
    """

    shot: Shot
    painter: FramePainter
    store: Store
    every: int | None = None
    mattes: Iterator[Pixels] | None = None

    def __post_init__(self) -> None:
        self._colors: ShotColors | None = None

    def parts(self) -> Iterator[Key | Segment]:
        """Yield keys as they are painted, and the segments in order; the last segment is the last key alone."""
        if not self.painter.paints:
            for at in range(len(self.shot)):
                frame = self._prepare(at)
                yield Segment(self.shot.first + at, [frame], None, (frame.ground,))
            return
        key, window = 0, [self._prepare(0)]
        painting, resumed = self._recall(0, lambda: self.painter.paint_first(window[0]))
        yield Key(self.shot.first, painting, resumed)
        self._colors = ShotColors(window[0])
        plate = begin_plate(window[0].ground, painting, window[0].background)
        while key < len(self.shot) - 1:
            last = min(key + (self.every or MOST_DISTANCE), len(self.shot) - 1)
            window += [self._prepare(at) for at in range(key + len(window), last + 1)]
            subjects = _subjects(window)
            flows = Flows([each.ground for each in window], _to_mattes(subjects), follows=True)
            painted = subjects if self.painter.recipe.paints_subject else None
            chosen = choose_next(flows, 0, len(window) - 1, subjects=painted, every=self.every)
            # The detector misses small faces in some frames. They flicker if only some keys keep them.
            faces = carry_faces(window[0].scene.faces, flows, key=0, to=chosen)
            following = window[chosen] = window[chosen].with_faces(faces)
            still = plate.stillness(following.ground, following.background)
            paint = partial(self._paint_next, window, flows, chosen, painting, plate, still)
            next_painting, resumed = self._recall(key + chosen, paint)
            yield Key(self.shot.first + key + chosen, next_painting, resumed)
            pair = (painting, next_painting)
            known = None if still is None else plate
            yield Segment(self.shot.first + key, window[: chosen + 1], flows, pair, known)
            if still is None:
                plate = begin_plate(following.ground, next_painting, following.background)
            else:
                plate = plate.extend(following.ground, next_painting, still, following.background)
            key, window, painting = key + chosen, window[chosen:], next_painting
        yield Segment(self.shot.first + key, window[:1], None, (painting,))

    def _prepare(self, at: int) -> Frame:
        matte = None if self.mattes is None else next(self.mattes)
        return self.painter.frame(self.shot[at], matte, self._colors)

    def _recall(self, at: int, paint: Callable[[], Pixels]) -> tuple[Pixels, bool]:
        """Return a key's painting from the store, or paint it, and whether it was there."""
        number = self.shot.first + at
        found = self.store.read_picture(KEY, number)
        if found is not None and found.shape == (*self.painter.size, 3):
            return found, True
        painting = paint()
        self.store.write_picture(KEY, number, painting)
        return painting, False

    def _paint_next(
        self, window: list[Frame], flows: Flows, to: int, painting: Pixels, plate: Plate, still: Map | None
    ) -> Pixels:
        frame = window[to]
        carried = carry(painting, [each.ground for each in window], flows, key=0, to=to)
        before, seen = carried.picture, smoothed(carried.seen)
        if still is not None:
            before, seen = plate.lay(before, still), np.maximum(seen, still)
        before = fill(before, seen, frame.ground, frame.subject)
        painted = self.painter.paint_next(frame, before, seen, known_around(seen))
        if still is None:
            return painted
        # Where nothing moves the key has to be the plate, bit for bit.
        return frame.settle(plate.lay(painted.astype(np.float32), still))


def _subjects(window: Sequence[Frame]) -> list[Map] | None:
    """Return the mattes in [0, 1] at the size to paint at, shape (H, W); None unless all frames have one."""
    subjects = [each.subject for each in window if each.subject is not None]
    return subjects if len(subjects) == len(window) else None


def _to_mattes(subjects: Sequence[Map] | None) -> list[Pixels] | None:
    return None if subjects is None else [np.asarray(np.rint(each * 255), np.uint8) for each in subjects]
