"""GrabCut: finds the subject inside a rectangle or from a rough mask, by colour alone.

References:
    Rother et al., "GrabCut: Interactive Foreground Extraction using Iterated Graph Cuts", SIGGRAPH 2004.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pochoir._types import Box, Size
from pochoir.errors import OptionError, ShapeError
from pochoir.segmentation.protocol import (
    SUBJECT_THRESHOLD,
    Segmentation,
    Segmenter,
    check_matte,
    check_photo,
    coverage_notes,
)

WORKING_LONG_SIDE = 1000
"""Long side at which larger photos are cut: the time grows faster than the number of pixels."""

SMALLEST_SIDE = 3
"""Least short side of a photo, which holds a frame of background and one pixel inside it."""

_CENTRAL_SHARE = 0.8
_FOUND_BOX_MARGIN = 0.05
_FRAME_SHARE = 0.02

Labels = NDArray[np.uint8]
"""OpenCV's labels, shape (H, W): surely or probably, subject or background."""


@dataclass(frozen=True, eq=False)
class _Start:
    labels: Labels
    box: Box | None
    notes: tuple[str, ...]


class GrabCutSegmenter:
    """Segmenter that runs OpenCV's GrabCut.

    It starts from the first of these that is given: the box, the start matte, the box around what the finder
    finds. Without any it starts from the middle of the photo, and says so.

    Args:
        box: Rectangle around the subject in photo pixels; everything outside it is background.
        start: Rough matte or trimap, shape (1, 1, H, W): 1 is surely subject, 0 surely background, anything
            between is probably what it is nearer to. A hard mask leaves nothing to decide: pass its ``trimap``.
        finder: Another segmenter, to find the box.
        iterations: Rounds of fitting colours and cutting, at least 1.
        seed: Seed of the colour clusters that GrabCut starts with.

    Raises:
        OptionError: Both a box and a start are given, or the iterations are below 1.
    """

    name = "grabcut"

    def __init__(
        self,
        *,
        box: Box | None = None,
        start: Tensor | None = None,
        finder: Segmenter | None = None,
        iterations: int = 5,
        seed: int = 0,
    ) -> None:
        if box is not None and start is not None:
            raise OptionError("GrabCut starts from a box or from a mask, not from both; give one of them.")
        if iterations < 1:
            raise OptionError(f"GrabCut needs at least 1 iteration; got {iterations}.")
        self._box = box
        self._start = start
        self._finder = finder
        self._iterations = iterations
        self._seed = seed

    def segment(self, photo: Tensor) -> Segmentation:
        """Find the subject of a photo.

        Args:
            photo: Shape (1, 3, H, W), RGB in [0, 1].

        Returns:
            A hard matte at the photo's size and on its device; soft by less than one working pixel where the photo
            was cut at a smaller size. The one stage is the start: 1 subject, 0 background, 0.5 to be decided.

        Raises:
            OptionError: The box lies outside the photo, or the photo is smaller than 3x3.
            ShapeError: The photo has another shape, or the start is not of the photo's size.
        """
        size = check_photo(photo)
        if size.short_side < SMALLEST_SIDE:
            raise OptionError(f"GrabCut needs a photo of at least {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels; got {size}.")
        working = size if size.long_side <= WORKING_LONG_SIDE else size.fit_long_side(WORKING_LONG_SIDE)
        working = Size(max(working.height, SMALLEST_SIDE), max(working.width, SMALLEST_SIDE))
        start = self._find_start(photo, size, working)
        stage = torch.from_numpy(_STAGE_OF_LABEL[start.labels])[None, None].to(photo.device)
        notes = start.notes
        if working != size:
            notes += (f"GrabCut worked at {working} because it is slow on larger photos; the matte is enlarged.",)
        labels = self._cut(_to_bgr(photo, working), start.labels)
        hard = torch.from_numpy(_IS_SUBJECT[labels])[None, None].to(photo.device)
        matte = hard if working == size else F.interpolate(hard, size=size, mode="bilinear", align_corners=False)
        return Segmentation(
            matte=matte,
            method=self.name,
            stages=(("start", stage),),
            box=start.box,
            notes=notes + coverage_notes(matte),
        )

    def _cut(self, bgr: NDArray[np.uint8], labels: Labels) -> Labels:
        sure = {cv2.GC_BGD, cv2.GC_FGD}
        present = set(np.unique(labels).tolist())
        # GrabCut learns one set of colours from each side, so with one side missing there is nothing to compare.
        one_sided = not present & {cv2.GC_BGD, cv2.GC_PR_BGD} or not present & {cv2.GC_FGD, cv2.GC_PR_FGD}
        if present <= sure or one_sided:
            return labels
        # OpenCV draws the first colour clusters from its own generator, which cannot be passed in. Without a seed
        # the result would depend on whatever used that generator before.
        cv2.setRNGSeed(self._seed)
        result, _, _ = cv2.grabCut(
            bgr,
            labels.copy(),
            (0, 0, 0, 0),  # the rectangle, which is not looked at when there are labels
            np.zeros((1, 65)),  # OpenCV's colour models: 5 Gaussians of 13 numbers for either side
            np.zeros((1, 65)),
            self._iterations,
            cv2.GC_INIT_WITH_MASK,
        )
        return np.asarray(result, dtype=np.uint8)

    def _find_start(self, photo: Tensor, size: Size, working: Size) -> _Start:
        if self._start is not None:
            return _from_matte(self._start, size, working)
        if self._box is not None:
            box, notes = _clip(self._box, size)
        else:
            box, notes = self._find_box(photo, size)
        if (box.width, box.height) == (size.width, size.height):
            box = _inner(size, 1.0 - 2.0 * _FRAME_SHARE)
            notes += (
                "The box covers the whole photo, which leaves no background to learn from; "
                f"the frame outside {box} is taken as background.",
            )
        return _Start(_box_labels(box, size, working), box, notes)

    def _find_box(self, photo: Tensor, size: Size) -> tuple[Box, tuple[str, ...]]:
        if self._finder is not None:
            box = box_around(self._finder.segment(photo).matte, margin=_FOUND_BOX_MARGIN)
            if box is not None:
                return box, (f"The box {box} was found with {self._finder.name}.",)
            reason = f"{self._finder.name} found no subject to put a box around"
        else:
            reason = "No box was given and no network's weights are there to find one"
        box = _inner(size, _CENTRAL_SHARE)
        return box, (f"{reason}; GrabCut starts from the middle of the photo, the box {box}.",)


def box_around(matte: Tensor, *, margin: float = 0.0) -> Box | None:
    """Return the smallest box around a matte's subject.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1]; what is above one half is subject.
        margin: Widen the box on each side by this share of its own size, as far as the picture reaches.

    Returns:
        The box in pixels, or None when there is no subject.

    Raises:
        ShapeError: It is not one matte.
    """
    size = check_matte(matte)
    inside = matte[0, 0] > SUBJECT_THRESHOLD  # (H, W)
    if not bool(inside.any()):
        return None
    rows, columns = (inside.any(dim=dim).nonzero().flatten().tolist() for dim in (1, 0))
    dx, dy = (round(margin * (line[-1] - line[0] + 1)) for line in (columns, rows))
    left, top = max(0, columns[0] - dx), max(0, rows[0] - dy)
    right, bottom = min(size.width, columns[-1] + 1 + dx), min(size.height, rows[-1] + 1 + dy)
    return Box(left, top, right - left, bottom - top)


def _clip(box: Box, size: Size) -> tuple[Box, tuple[str, ...]]:
    left, top = max(0, box.x), max(0, box.y)
    right, bottom = min(size.width, box.x + box.width), min(size.height, box.y + box.height)
    if right <= left or bottom <= top:
        raise OptionError(
            f"The box {box} lies outside the photo, which is {size}; a box is X,Y,WIDTH,HEIGHT in pixels."
        )
    clipped = Box(left, top, right - left, bottom - top)
    return clipped, () if clipped == box else (f"The box {box} reaches beyond the photo; {clipped} is used.",)


def _inner(size: Size, share: float) -> Box:
    # At least one pixel of frame on every side, which SMALLEST_SIDE leaves room for.
    left, top = (max(1, round(side * (1.0 - share) / 2.0)) for side in (size.width, size.height))
    return Box(left, top, size.width - 2 * left, size.height - 2 * top)


def _box_labels(box: Box, size: Size, working: Size) -> Labels:
    fx, fy = working.width / size.width, working.height / size.height
    left, top = min(int(box.x * fx), working.width - 1), min(int(box.y * fy), working.height - 1)
    right, bottom = max(left + 1, round((box.x + box.width) * fx)), max(top + 1, round((box.y + box.height) * fy))
    labels = np.full((working.height, working.width), cv2.GC_BGD, np.uint8)
    labels[top:bottom, left:right] = cv2.GC_PR_FGD
    return labels


def _from_matte(start: Tensor, size: Size, working: Size) -> _Start:
    if check_matte(start) != size:
        raise ShapeError(f"The start is {check_matte(start)}, the photo {size}; resize the start first.")
    values = start.detach().cpu()
    if working != size:
        values = F.interpolate(values, size=working, mode="bilinear", align_corners=False, antialias=True)
    value = values[0, 0].numpy()  # (h, w)
    labels = np.where(value >= SUBJECT_THRESHOLD, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[value <= 0.0] = cv2.GC_BGD
    labels[value >= 1.0] = cv2.GC_FGD
    decided = not bool(np.isin(labels, (cv2.GC_PR_BGD, cv2.GC_PR_FGD)).any())
    notes = ("The mask to start from leaves nothing unsure, so GrabCut kept it as it is.",) if decided else ()
    return _Start(labels, None, notes)


def _to_bgr(photo: Tensor, working: Size) -> NDArray[np.uint8]:
    rgb = photo[0].detach().permute(1, 2, 0).mul(255.0).round().clamp(0, 255).byte().cpu().numpy()  # (H, W, 3)
    if rgb.shape[:2] != tuple(working):
        rgb = cv2.resize(rgb, (working.width, working.height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _lookup(values: dict[int, float]) -> NDArray[np.float32]:
    return np.array([values[label] for label in range(4)], np.float32)


_IS_SUBJECT = _lookup({cv2.GC_BGD: 0.0, cv2.GC_FGD: 1.0, cv2.GC_PR_BGD: 0.0, cv2.GC_PR_FGD: 1.0})
_STAGE_OF_LABEL = _lookup({cv2.GC_BGD: 0.0, cv2.GC_FGD: 1.0, cv2.GC_PR_BGD: 0.5, cv2.GC_PR_FGD: 0.5})
