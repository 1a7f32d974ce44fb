"""Votes of several looks at a subject, aligned by the flow."""

import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache, partial
from typing import Final, NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch

from pochoir.segmentation.confidence import overlap
from pochoir.video.warping import FlowField, warp

Matte = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Word = npt.NDArray[np.int8]
"""The user's word on each pixel: 1 subject, -1 background, 0 not known."""

_AHEAD: Final = 8
"""Looks ahead that vote."""
_BESIDES: Final = 2
"""Further sights that are kept from one look to the next: back to the look before, and one to spare."""
_DECAY: Final = 0.9
"""Share of a vote that remains one look later."""
_HOLD: Final = 1.0
"""Votes for the decision before."""
_FRESH: Final = 0.25
"""Share of the new look at edges; the rest is the matte before, carried along the flow."""
_THICK: Final = 0.012
"""Radius of a disagreement that is about an object and not about an edge, as a share of the long side."""
_NEAR: Final = 0.016
"""Radius in which votes are smoothed, as a share of the long side."""
_FAR: Final = 0.047
"""Radius in which places look for others of their colours."""
_LEAST_KNOWN: Final = 0.15
_ONE_KIND: Final = 0.6
"""Mean of what the user said around a place, from -1 to 1, from which on it holds for the place, too."""
_REACH: Final = 0.028
"""Distance that a part may have moved unseen between two looks, as a share of the long side."""


class Sight(NamedTuple):
    """Another frame as seen from one: the flow to it and what is seen in both."""

    flow: FlowField
    visible: Matte


class Carried(NamedTuple):
    """A matte of another frame carried along the flow, and where it can be trusted."""

    matte: Matte
    visible: Matte

    @classmethod
    def of(cls, matte: Matte | None, sight: Sight | None) -> "Carried | None":
        """Carry a matte; None without one."""
        if matte is None or sight is None:
            return None
        return cls(warp(matte, sight.flow, interpolation="linear"), sight.visible)


class Shot(Protocol):
    """Access to the frames of one shot that voting needs."""

    def look(self, index: int) -> Matte:
        """Return the network's matte of a frame, or the user's."""

    def see(self, here: int, there: int) -> Sight:
        """Return a frame as seen from another."""

    def follow(self, index: int, values: Matte, radius: float) -> Matte:
        """Smooth a map so that its edges are those of a frame, over a radius as a share of the long side."""

    def snap(self, index: int, matte: Matte) -> Matte:
        """Move the edges of a matte to those of a frame."""


class Settled(NamedTuple):
    """The settled matte of a frame that was looked at.

    Attributes:
        matte: Shape (H, W), in [0, 1].
        agreement: Overlap of the look with it, from 0 to 1; 0 if both are empty.
    """

    matte: Matte
    agreement: float


def settle(stops: Sequence[int], shot: Shot, corrected: Collection[int]) -> Iterator[Settled]:
    """Yield the settled matte of each frame that is looked at.

    Args:
        stops: Numbers of these frames, in order.
        shot: The frames, the looks at them, and the flow between them.
        corrected: Frames whose mattes are the user's word.
    """
    look = shot.look
    see = lru_cache(_AHEAD + _BESIDES)(shot.see)
    looks: deque[Matte] = deque()
    told = _follow_back(stops, shot, corrected)
    past: Matte | None = None
    settled: Matte | None = None
    word: Word | None = None
    for at, stop in enumerate(stops):
        while len(looks) <= _AHEAD and at + len(looks) < len(stops):
            looks.append(look(stops[at + len(looks)]))
        found = own = looks[0]
        future = _vote_ahead(stops[at : at + len(looks)], looks, see)
        if stop in corrected:
            past, settled, word = 2 * own - 1, own, _word_of(own)
        else:
            back = None if at == 0 else see(stop, stops[at - 1])
            fore = None if len(looks) == 1 else Carried.of(looks[1], see(stop, stops[at + 1]))
            own = _recover(own, Carried.of(settled, back), fore, partial(shot.snap, stop))
            past = 2 * own - 1 + (0 if back is None or past is None else _DECAY * _carry(past, back))
            expected = None if back is None or settled is None else warp(settled, back.flow, interpolation="linear")
            votes = past + future
            if expected is not None and back is not None:
                votes = votes + _HOLD * (2 * expected - 1) * back.visible
            word = (
                None if word is None or back is None else _carry_word(word, expected, back, partial(shot.follow, stop))
            )
            votes = _overrule(shot.follow(stop, votes, _NEAR), word, None if told is None else told.take(stop))
            settled = _join(own, votes > 0, expected, None if back is None else back.visible, partial(shot.snap, stop))
        looks.popleft()
        yield Settled(settled, overlap(torch.from_numpy(found), torch.from_numpy(settled)))


def _vote_ahead(stops: Sequence[int], looks: Sequence[Matte], see: Callable[[int, int], Sight]) -> Matte:
    """Return the votes of later looks, seen from the first of them."""
    votes = np.zeros_like(looks[0])
    for at in range(len(stops) - 2, -1, -1):
        votes = _DECAY * _carry(votes + 2 * looks[at + 1] - 1, see(stops[at], stops[at + 1]))
    return votes


def _carry(values: Matte, sight: Sight) -> Matte:
    return warp(values, sight.flow, interpolation="linear") * sight.visible


class Told:
    """Corrections carried to earlier frames, packed because a long shot has thousands of frames."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._packed: dict[int, bytes] = {}

    def keep(self, index: int, word: Word) -> None:
        """Keep the word of a frame."""
        self._packed[index] = zlib.compress(word.tobytes(), 1)

    def take(self, index: int) -> Word | None:
        """Return the word of a frame, once; None if there is none."""
        packed = self._packed.pop(index, None)
        return None if packed is None else np.frombuffer(zlib.decompress(packed), np.int8).reshape(self._shape)


def _follow_back(stops: Sequence[int], shot: Shot, corrected: Collection[int]) -> Told | None:
    """Return what corrections tell about frames before them; None without corrections."""
    told: Told | None = None
    for at in sorted((stops.index(each) for each in corrected), reverse=True):
        matte = shot.look(stops[at])
        word = _word_of(matte)
        told = told or Told(matte.shape)
        for earlier in range(at - 1, -1, -1):
            if stops[earlier] in corrected:
                break
            sight = shot.see(stops[earlier], stops[earlier + 1])
            expected = warp(matte, sight.flow, interpolation="linear")
            word = _carry_word(word, expected, sight, partial(shot.follow, stops[earlier]))
            own = shot.look(stops[earlier])
            snap = partial(shot.snap, stops[earlier])
            matte = _join(own, _overrule(2 * own - 1, word, None) > 0, expected, sight.visible, snap)
            told.keep(stops[earlier], word)
    return told


def _word_of(matte: Matte) -> Word:
    return np.where(matte > 0.5, 1, -1).astype(np.int8)


def _carry_word(word: Word, expected: Matte | None, sight: Sight, follow: Callable[[Matte, float], Matte]) -> Word:
    """Carry the user's word to another frame.

    Places that were hidden or torn take the word of what has their colours around them, if that is of one kind.

    Args:
        word: The word in the other frame.
        expected: The settled matte of the other frame, carried here.
        sight: The other frame as seen from here.
        follow: Function that smooths a map along this frame's edges, over a radius as a share of the long side.
    """
    known = _carry((word != 0).astype(np.float32), sight) > 0.5
    side = word if expected is None else _word_of(expected)
    carried = np.where(known, side, 0).astype(np.float32)
    around = follow(carried, _FAR) / np.maximum(follow(known.astype(np.float32), _FAR), np.float32(_LEAST_KNOWN))
    spread = np.where(np.abs(around) > _ONE_KIND, np.sign(around), 0)
    return np.where(known, carried, spread).astype(np.int8)


def _overrule(votes: Matte, *words: Word | None) -> Matte:
    """Set votes to the user's word where it is known, from an earlier correction or a later one."""
    for word in reversed(words):
        if word is not None:
            votes = np.where(word != 0, word, votes)
    return votes.astype(np.float32)


def _recover(own: Matte, before: Carried | None, after: Carried | None, snap: Callable[[Matte], Matte]) -> Matte:
    """Return the look with parts that moved too fast to be followed and that the network forgot.

    Near a part that both neighbours lost, colours decide: there the flow cannot tell, and the look is not trusted.
    The first and the last look are trusted: where one neighbour has the subject, a fast one is not yet or no longer.

    Args:
        own: The look.
        before: The settled matte before, carried here; None in the first frame.
        after: The look after, carried here; None in the last frame.
        snap: Function that moves the edges of a matte to those of the frame.
    """
    if before is None or after is None:
        return own
    sides = (before, after)
    lost = np.logical_and.reduce([side.visible < 0.5 for side in sides])
    forgotten = np.logical_or.reduce([side.matte > 0.5 for side in sides]) & lost & (own < 0.5)
    if forgotten.sum() < _THICK**2 * own.size:
        return own
    unsure = _grow(forgotten, max(1, round(_REACH * max(own.shape)))) & lost & (own < 0.5)
    told = np.mean([side.matte for side in sides], axis=0, dtype=np.float32)
    asked = np.where(unsure, np.float32(0.35) + np.float32(0.3) * told, own).astype(np.float32)
    return np.where(unsure, np.maximum(own, snap(asked)), own).astype(np.float32)


def _join(
    own: Matte, decided: Mask, expected: Matte | None, visible: Matte | None, snap: Callable[[Matte], Matte]
) -> Matte:
    """Return the matte of a frame: the look's edges where it agrees with the decision, else what was expected.

    Args:
        own: The look at this frame.
        decided: Where the subject is.
        expected: The matte before, carried here; None in the first frame.
        visible: Where the frame before shows the same; None in the first frame.
        snap: Function that moves the edges of a matte to those of the frame.
    """
    radius = max(1, round(_THICK * max(own.shape)))
    wrong = _thick(own, decided, radius)
    steady = own
    soft = cv2.GaussianBlur(decided.astype(np.float32), (0, 0), 1.0)
    if expected is not None and visible is not None:
        seen = visible * ~_thick(expected, decided, radius)
        steady = own + (1 - np.float32(_FRESH)) * seen * (expected - own)
        soft = np.where(((expected > 0.5) == decided) & (visible > 0.5), expected, soft)
    if not wrong.any():
        return np.asarray(steady, np.float32)
    # Beyond the wrong part itself, its soft fringe is replaced, too.
    share = cv2.blur(_grow(wrong, radius).astype(np.float32), (3, 3))
    mixed = np.asarray(steady + share * (soft - steady), np.float32)
    return np.asarray(mixed + share * (snap(mixed) - mixed), np.float32)


def _thick(matte: Matte, decided: Mask, radius: int) -> Mask:
    """Return the pieces in which a matte differs from a decision by more than an edge, whole."""
    differs = ((matte > 0.5) != decided).astype(np.uint8)
    if not differs.any():
        return np.zeros(matte.shape, bool)
    count, pieces = cv2.connectedComponents(differs, connectivity=8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    core = cv2.erode(differs, disc, borderType=cv2.BORDER_REPLICATE) > 0
    is_thick = np.zeros(count, bool)
    is_thick[np.unique(pieces[core])] = True
    is_thick[0] = False
    return np.asarray(is_thick[pieces])


def _grow(mask: Mask, radius: int) -> Mask:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0)
