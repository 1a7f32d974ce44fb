"""Numbering, choice and display of several subjects in one photo."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pochoir._types import Box
from pochoir.errors import OptionError, ShapeError
from pochoir.recipe import SubjectChoice
from pochoir.segmentation.protocol import SUBJECT_THRESHOLD, Parts, check_matte, check_photo

SMALLEST_SHARE = 0.01
"""Share of all subject pixels below which a connected piece is a speck and gets no number."""

_COLORS = ((255, 80, 60), (60, 200, 90), (70, 140, 255), (255, 190, 40), (200, 90, 255), (60, 210, 220))
_DIMMED = 0.55


def find_parts(matte: Tensor) -> Parts:
    """Number the connected subjects of a matte from the largest to the smallest.

    Pixels above one half are connected when they share an edge or a corner. Pieces below ``SMALLEST_SHARE`` of all
    subject pixels are left out.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].

    Returns:
        The parts; none where the matte is empty.

    Raises:
        ShapeError: It is not one matte.
    """
    check_matte(matte)
    inside = _inside(matte)
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(inside, connectivity=8, ltype=cv2.CV_32S)
    areas = facts[1:, cv2.CC_STAT_AREA]  # the first is the background
    # Stable, so that equal areas are numbered by place.
    order = [int(piece) for piece in np.argsort(-areas, kind="stable") if areas[piece] >= SMALLEST_SHARE * areas.sum()]
    number_of = np.zeros(len(facts), np.int32)
    number_of[[piece + 1 for piece in order]] = np.arange(1, len(order) + 1)
    boxes = tuple(Box(*(int(side) for side in facts[piece + 1, :4])) for piece in order)
    labels = torch.from_numpy(number_of[pieces])[None, None].to(matte.device)
    return Parts(labels, tuple(int(areas[piece]) for piece in order), boxes)


def select_parts(matte: Tensor, parts: Parts, choice: str) -> Tensor:
    """Keep some parts of a matte and drop the rest.

    Soft pixels around the parts go with the part or speck that is nearest to them.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].
        parts: Its parts, from ``find_parts``.
        choice: ``"all"``, ``"largest"``, or numbers of parts: ``"2"``, ``"1,3"``.

    Returns:
        Shape (1, 1, H, W): the matte where it belongs to a chosen part, 0 elsewhere; for ``"all"`` the matte itself.

    Raises:
        OptionError: The choice is none of these, or there is no part of such a number.
        ShapeError: Matte and parts differ in size.
    """
    if parts.labels.shape != matte.shape:
        raise ShapeError(f"The parts are {tuple(parts.labels.shape)}, the matte {tuple(matte.shape)}.")
    if choice == "all":
        return matte
    wanted = SubjectChoice.parse(choice).numbers
    if not len(parts):
        return matte  # an empty matte stays empty; the caller notes it
    for number in wanted:
        if not 1 <= number <= len(parts):
            found = "1 subject was" if len(parts) == 1 else f"{len(parts)} subjects were"
            raise OptionError(f"There is no subject {number}: {found} found. --as parts shows their numbers.")
    labels = parts.labels[0, 0].cpu().numpy()
    nearest = _nearest_label(_inside(matte), labels)
    chosen = torch.from_numpy(np.isin(nearest, wanted)).to(matte.device)
    return torch.where(chosen, matte, torch.zeros_like(matte))


def show_parts(photo: Tensor, parts: Parts) -> Tensor:
    """Draw each part's outline and number on the photo, and dim the rest.

    Args:
        photo: Shape (1, 3, H, W), RGB in [0, 1].
        parts: The parts of its matte.

    Returns:
        Shape (1, 3, H, W), RGB in [0, 1].

    Raises:
        ShapeError: The sizes differ.
    """
    size = check_photo(photo)
    if tuple(parts.labels.shape[-2:]) != tuple(size):
        raise ShapeError(f"The parts are of {tuple(parts.labels.shape)}, the photo is {size}.")
    labels = parts.labels[0, 0].cpu().numpy()
    shown = photo[0].permute(1, 2, 0).mul(255.0).round().clamp(0, 255).byte().cpu().numpy()  # (H, W, 3)
    shown = np.where(labels[..., None] > 0, shown, (shown * (1.0 - _DIMMED)).astype(np.uint8))
    shown = np.ascontiguousarray(shown)
    line = max(1, round(size.long_side / 350))
    for number in range(1, len(parts) + 1):
        color = _COLORS[(number - 1) % len(_COLORS)]
        part = (labels == number).astype(np.uint8)
        outlines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(shown, outlines, -1, color, thickness=line, lineType=cv2.LINE_AA)
        _write_number(shown, part, str(number), color, line)
    return (torch.from_numpy(shown).permute(2, 0, 1)[None].float() / 255.0).to(photo)


def _inside(matte: Tensor) -> NDArray[np.uint8]:
    return (matte[0, 0] > SUBJECT_THRESHOLD).cpu().numpy().astype(np.uint8)


def _nearest_label(inside: NDArray[np.uint8], labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return for every pixel the label of the nearest subject pixel; a speck keeps its own fringe."""
    _, nearest = cv2.distanceTransformWithLabels(
        1 - inside, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_CCOMP
    )
    label_of = np.zeros(int(nearest.max()) + 1, np.int32)
    label_of[nearest[inside > 0]] = labels[inside > 0]
    labels_everywhere: NDArray[np.int32] = label_of[nearest]
    return labels_everywhere


def _write_number(
    shown: NDArray[np.uint8], part: NDArray[np.uint8], text: str, color: tuple[int, int, int], line: int
) -> None:
    # The centre of a ring or a crescent lies outside it; the point deepest inside never does.
    depth = cv2.distanceTransform(cv2.copyMakeBorder(part, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    scale = max(0.4, max(part.shape) / 700)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2 * line)
    # The frame never cuts a number off, however small the part beside it.
    left = int(np.clip(x - width // 2, 0, max(0, part.shape[1] - width)))
    base = int(np.clip(y + height // 2, min(height, part.shape[0] - 1), part.shape[0] - 1))
    # A white figure on a black plate is readable on every color; the frame has the color of the outline.
    corner, opposite = (left - 3 * line, base - height - 4 * line), (left + width + 3 * line, base + 4 * line)
    cv2.rectangle(shown, corner, opposite, (0, 0, 0), cv2.FILLED)
    cv2.rectangle(shown, corner, opposite, color, line)
    cv2.putText(shown, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 2 * line, cv2.LINE_AA)
