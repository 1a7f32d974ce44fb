"""Repaint the regions of a photo, each in its own style, from coarse to fine."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.errors import DivergedError, EmptyRegionError, ShapeError
from pochoir.recipe import TransferSettings
from pochoir.transfer.anchors import Anchor, check_anchors
from pochoir.transfer.canvas import Canvas, ScalePlan
from pochoir.transfer.criterion import Criterion, Losses
from pochoir.transfer.emphasis import Emphasis
from pochoir.transfer.memory import give_back
from pochoir.transfer.objective import build_criterion
from pochoir.transfer.optimize import OPTIMIZERS, Iterate, Iterates
from pochoir.transfer.pyramid import Level, Region, carry_over
from pochoir.transfer.region_images import RegionsCriterion, merge_regions, split_regions
from pochoir.transfer.schedule import plan_scales
from pochoir.transfer.starts import STARTS
from pochoir.transfer.stopping import StoppingRule
from pochoir.transfer.targets import StyleTargets


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """State of a painting at the end of a scale, from which it continues to the same picture.

    Attributes:
        picture: Result of the scale: a picture for each region, shape (regions, 3, h, w), or at the finest scale one
            for all, shape (1, 3, h, w).
        steps: Steps done at each scale so far.
    """

    picture: Tensor = field(repr=False)
    steps: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Step:
    """State after one step of the optimiser.

    Attributes:
        scale: Number of the current scale, from 1 (coarsest).
        scales: How many there are.
        size: Size of the current scale; smaller than the picture's where only a part is painted.
        step: Number of the step within the scale, from 1.
        steps: Steps of this scale as planned, or ``step`` if there was time for more.
        done: Steps done over all scales.
        total: Steps of all scales as planned.
        losses: Terms of the objective at the best picture so far of this scale, which ``picture`` gives. The margin
            around the frame counts in them.
        elapsed_s: Seconds since the painting began.
        left_s: Seconds that the rest will take if no scale ends early; 0 after the last step.
        reason: After the last step, why fewer steps than planned were done: ``stopping.TIME_UP``,
            ``stopping.CONVERGED``, or empty if all were.
        notes: What had to be left out at this scale.
        checkpoint: After the last step of a scale, the state to resume from; otherwise None.
    """

    scale: int
    scales: int
    size: Size
    step: int
    steps: int
    done: int
    total: int
    losses: Losses
    elapsed_s: float
    left_s: float
    reason: str
    notes: tuple[str, ...]
    checkpoint: Checkpoint | None
    _render: Callable[[], Tensor] = field(repr=False)

    def __repr__(self) -> str:
        scale = f"scale {self.scale} of {self.scales}, {self.size}"
        return f"Step({self.done} of {self.total}, {scale}, loss {self.losses.total:.4g}, {self.left_s:.0f} s left)"

    def picture(self) -> Tensor:
        """Return the best picture so far at full size, enlarged at coarse scales. Shape (1, 3, H, W), in [0, 1]."""
        return self._render()


def iter_paint(
    photo: Tensor,
    regions: Sequence[Region],
    encoder: VGG,
    settings: TransferSettings,
    *,
    start: Tensor | None = None,
    budget_s: float = math.inf,
    checkpoint: Checkpoint | None = None,
    targets: StyleTargets | None = None,
    emphasis: Emphasis | None = None,
    anchors: Sequence[Anchor] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Step]:
    """Repaint regions of a photo.

    At the finest scale all regions are optimised in one picture, each drawn to its own Gram matrices by guides at every
    style layer (Gatys et al., arXiv:1611.07865). At coarser scales each region has a picture of its own; see
    ``region_images``. Pixels that belong to no region are never changed. The encoder sees them as surroundings, and
    pixels far from any region are not even computed.

    Args:
        photo: Content, shape (1, 3, H, W), in [0, 1], at the size to paint at.
        regions: At least one; their mattes have the photo's size and add up to at most one.
        encoder: The network, on the device to work on.
        settings: Weights, layers, optimiser, steps, seed.
        start: Picture of the photo's shape to start from; None starts as ``settings.init`` says.
        budget_s: Seconds to finish in, see ``StoppingRule``; ``settings.time`` is not read here.
        checkpoint: State of an earlier run with the same arguments, to continue after its scale.
        targets: Cache of the Gram matrices of styles, shared by paintings with the same encoder. The picture is the
            same with and without it.
        emphasis: Where content counts more and style less, at the photo's size; see ``build_emphasis``.
        anchors: Pictures to stay near to, in the photo's size and colours.
        clock: Returns the time in seconds.

    Yields:
        One ``Step`` for each step. To cancel, stop iterating; the last step's picture is valid.

    Raises:
        DivergedError: The loss is not a finite number where a scale starts.
        EmptyRegionError: There is no region, or one has no pixels.
        OptionError: The strength of an anchor is negative.
        ShapeError: A matte, the start or an anchor has another size than the photo.
    """
    began = clock()
    _check_shapes(photo, regions, start)
    check_anchors(anchors, photo)
    canvas = Canvas(photo, regions, settings, emphasis, anchors)
    given = None if start is None else canvas.window.cut(canvas.palette.prepare(start))
    smallest = min(float(region.matte.sum()) for region in regions)
    stride = min(encoder.stride(name) for name in settings.style_layers or settings.content_layers)
    scales = plan_scales(
        canvas.window.size, settings.steps, schedule=settings.schedule, smallest_region_px=smallest, stride=stride
    )
    plans = [canvas.plan_scale(index, scales, encoder, settings) for index in range(len(scales))]
    rule = StoppingRule(
        scales, work_px=[plan.work_px for plan in plans], budget_s=budget_s - (clock() - began), clock=clock
    )
    coarser: tuple[Sequence[Level], Tensor] | None = None
    counts: tuple[int, ...] = ()
    if checkpoint is not None:
        counts, rule.done = checkpoint.steps, sum(checkpoint.steps)
        coarser = (split_regions(canvas.level.at(scales[len(counts) - 1].size)), checkpoint.picture.to(photo))
    for number, scale in enumerate(scales[len(counts) :], start=len(counts) + 1):
        if coarser is not None and not scale.steps:
            break
        rule.begin_scale(number - 1)
        plan = plans[number - 1]
        build = partial(
            build_criterion, encoder=encoder, settings=settings, gain=plan.gain, shown=plan.shown, targets=targets
        )
        level = canvas.level.at(scale.size)
        parts = split_regions(level)
        images = _first_images(parts, coarser, settings, given)
        search = _begin_search(level, parts, images, plan, build, settings)
        coarser = None
        del level, images  # large pictures are too many as it is
        if plan.is_joint:
            parts = ()  # no finer scale needs them
        for index, best, continues in _follow(search.iterates, rule):
            picture = plan.margin.crop(best.picture)
            yield Step(
                scale=number,
                scales=len(scales),
                size=scale.size,
                step=index,
                steps=max(index, scale.steps),
                done=rule.done,
                total=sum(scale.steps for scale in scales),
                losses=best.losses,
                elapsed_s=clock() - began,
                left_s=rule.left_s if continues or rule.has_finer else 0.0,
                reason="" if continues or rule.has_finer else rule.reason,
                notes=search.notes,
                checkpoint=None if continues else Checkpoint(picture.contiguous(), (*counts, index)),
                _render=partial(canvas.render, picture, is_joint=plan.is_joint),
            )
        coarser, counts = (parts, picture), (*counts, index)
        del search  # frees the memory of this objective before the next one is built
        encoder.release_memory()
        give_back()
        if not rule.has_finer:
            break


def _first_images(
    parts: Sequence[Level],
    coarser: tuple[Sequence[Level], Tensor] | None,
    settings: TransferSettings,
    given: Tensor | None,
) -> Tensor:
    """Return a picture for each region to start from, shape (regions, 3, h, w)."""
    if coarser is not None:
        return carry_over(*coarser, parts)
    if given is not None:
        return torch.cat([imaging.resize(given, Size(*part.photo.shape[-2:])) for part in parts])
    return torch.cat([STARTS[settings.init](part, settings.seed) for part in parts])


class _Search(NamedTuple):
    """The optimiser at work at one scale, and notes on its objective."""

    iterates: Iterates
    notes: tuple[str, ...]


def _follow(iterates: Iterates, rule: StoppingRule) -> Iterator[tuple[int, Iterate, bool]]:
    """Yield after each step of a scale its number, the best picture so far and whether another step follows."""
    best: Iterate | None = None
    for index, iterate in enumerate(iterates):
        if best is None or iterate.losses.total < best.losses.total:
            best = iterate
        if index == 0:  # the start of a scale is not a step
            _check_finite(iterate.losses)
            rule.begin_steps()
            continue
        continues = rule.count_step(best.losses.total)
        if not continues:
            iterates.close()  # frees what the gradient would have needed
        yield index, best, continues


_Build = Callable[[Level], tuple[Criterion, tuple[str, ...]]]


def _begin_search(
    level: Level, parts: Sequence[Level], images: Tensor, plan: ScalePlan, build: _Build, settings: TransferSettings
) -> _Search:
    optimize, margin = OPTIMIZERS[settings.optimizer], plan.margin
    if plan.is_joint:
        start = margin.pad(merge_regions(images, level))
        level = level.padded(margin)
        criterion, notes = build(level)
        free = (level.cover > 0).to(images)
        return _Search(optimize(criterion, torch.where(free > 0, start, level.photo), free), notes)
    level, parts, images = level.padded(margin), [part.padded(margin) for part in parts], margin.pad(images)
    objective = RegionsCriterion(level, parts, lambda part: build(part)[0])
    free = torch.cat([part.cover > 0 for part in parts]).to(images)
    grounds = torch.cat([part.photo for part in parts])
    # Notes on layers that do not fit are for the finest scale; coarse scales lack some as a rule.
    return _Search(optimize(objective, torch.where(free > 0, images, grounds), free), ())


def _check_finite(losses: Losses) -> None:
    if not math.isfinite(losses.total):
        raise DivergedError(
            f"The loss is {losses.total} at the start of a scale ({losses}): the encoder's weights or the loss weights "
            "are not usable. Check the weights with: pochoir models verify"
        )


def _check_shapes(photo: Tensor, regions: Sequence[Region], start: Tensor | None) -> None:
    if not regions:
        raise EmptyRegionError("There is nothing to paint: no region has a style.")
    for region in regions:
        if region.matte.shape[-2:] != photo.shape[-2:]:
            raise ShapeError(
                f"A region's matte must have the photo's size {Size(*photo.shape[-2:])}; "
                f"got {Size(*region.matte.shape[-2:])}."
            )
        if float(region.matte.max()) <= 0.0:
            raise EmptyRegionError("A region to be painted has no pixels: its matte is empty.")
    if start is not None and start.shape != photo.shape:
        raise ShapeError(f"The start must have the photo's shape {tuple(photo.shape)}; got {tuple(start.shape)}.")
