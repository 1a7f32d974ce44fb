"""Repaints the regions of a photo, each in its own style: first apart, at last jointly in one picture."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.errors import DivergedError, EmptyRegionError, ShapeError
from pochoir.recipe import TransferSettings
from pochoir.transfer.color_modes import Palette
from pochoir.transfer.criterion import Criterion, Losses, StyledRegion
from pochoir.transfer.memory import give_back, shown_px, tile_limit_px
from pochoir.transfer.optimize import OPTIMIZERS, Iterate, Iterates
from pochoir.transfer.pyramid import Level, Region, carry_over
from pochoir.transfer.region_images import RegionsCriterion, merge_regions, split_regions
from pochoir.transfer.schedule import plan_scales
from pochoir.transfer.starts import STARTS
from pochoir.transfer.stopping import Pace
from pochoir.transfer.targets import StyleTargets, style_grams
from pochoir.transfer.tiling import Margin, find_window, plan_margin

CONTEXT_PX = 48
"""Margin around the painted part that the encoder is shown: the radius of relu4_1's receptive field."""
CONTENT_GAIN_PER_HALVING = 2.0
"""Coarse scales hold on to the photo's forms more firmly: what they lose no finer scale finds again."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Where a painting stood when a scale had ended: enough to go on from there to the same picture.

    Attributes:
        picture: What the scale came to: a picture for each region, shape (regions, 3, h, w), or at the finest scale
            one, shape (1, 3, h, w).
        steps: Steps done at each scale so far.
    """

    picture: Tensor
    steps: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Step:
    """What is known after one step of the optimiser.

    Attributes:
        scale: Number of the current scale, from 1 (coarsest).
        scales: How many there are.
        size: Size of the current scale; smaller than the picture's where only a part is painted.
        step: Number of the step within the scale, from 1.
        steps: Steps of this scale.
        done: Steps done over all scales.
        total: Steps of all scales.
        losses: Terms of the objective at the best picture so far of this scale, which ``picture`` gives.
        elapsed_s: Seconds since the painting began.
        left_s: Seconds that the rest will take, as far as can be told.
        notes: What had to be left out at this scale.
        checkpoint: After the last step of a scale, what painting can be taken up again with; otherwise None.
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
    notes: tuple[str, ...]
    checkpoint: Checkpoint | None
    _render: Callable[[], Tensor] = field(repr=False)

    def picture(self) -> Tensor:
        """The best picture so far, at the painted picture's full frame. Shape (1, 3, H, W), in [0, 1]."""
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
) -> Iterator[Step]:
    """Repaint regions of a photo.

    At the finest scale all regions are optimised in one picture, each drawn to its own Gram matrices by guides at every
    style layer (Gatys et al., arXiv:1611.07865). At coarser ones each has a picture of its own; see ``apart``. Pixels
    that belong to no region are never changed; the encoder sees them as surroundings, and what lies far from any region
    is not even computed.

    Args:
        photo: Content, shape (1, 3, H, W), in [0, 1], at the size to paint at.
        regions: At least one; their mattes have the photo's size and add up to at most one.
        encoder: The network, on the device to work on.
        settings: Weights, layers, optimiser, steps, seed.
        start: Picture of the photo's shape to start from; None starts as ``settings.init`` says.
        budget_s: Seconds to finish in. Each scale has its share of them, and a scale that would not fit at all is left
            out; ``settings.time`` is not looked at.
        checkpoint: Of an earlier run with the same arguments, to go on after its scale.
        targets: Keeps the Gram matrices of styles for further paintings with the same encoder, and gives those that it
            has. The picture is the same with and without it.

    Yields:
        One ``Step`` for each step. To cancel, stop iterating; the last step's picture is valid.

    Raises:
        DivergedError: The loss is not a finite number where a scale starts.
        EmptyRegionError: There is no region, or one has no pixels.
        ShapeError: A matte or the start has another size than the photo.
    """
    began = time.monotonic()
    _check_shapes(photo, regions, start)
    cover = torch.stack([region.matte for region in regions]).sum(dim=0)
    window = find_window(cover, margin_px=CONTEXT_PX)
    is_partial = bool((cover <= 0).any())
    palette = Palette(photo, regions, settings.treatment)

    def render(pictures: Tensor, is_joint: bool) -> Tensor:
        enlarged = imaging.resize(pictures.clamp(0.0, 1.0), window.size)
        part = enlarged if is_joint else merge_regions(enlarged, finest).clamp(0.0, 1.0)
        return torch.where(cover > 0, palette.restore(window.paste(palette.content, part)), photo)

    finest = Level(
        photo=window.cut(palette.content),
        regions=[replace(region, matte=window.cut(region.matte)) for region in palette.regions],
        style_scale=settings.style_scale,
        frame_px=float(photo.shape[-2] * photo.shape[-1]),
    )
    smallest = min(float(region.matte.sum()) for region in regions)
    stride = min(encoder.stride(name) for name in settings.style_layers or settings.content_layers)
    scales = plan_scales(
        window.size, settings.steps, schedule=settings.schedule, smallest_region_px=smallest, stride=stride
    )
    pace = Pace(scales, budget_s=budget_s - (time.monotonic() - began))
    coarser: tuple[Sequence[Level], Tensor] | None = None
    counts: tuple[int, ...] = ()
    if checkpoint is not None:
        counts, pace.done = checkpoint.steps, sum(checkpoint.steps)
        coarser = (split_regions(finest.at(scales[len(counts) - 1].size)), checkpoint.picture.to(photo))
    for number, scale in enumerate(scales[len(counts) :], start=len(counts) + 1):
        if not pace.begins(number - 1):
            break
        is_joint = number == len(scales)
        gain = CONTENT_GAIN_PER_HALVING ** (len(scales) - number)
        margin = plan_margin(scale.size, window, Size(*photo.shape[-2:]), is_partial=is_partial)
        shown_size = margin.padded_size(scale.size)
        most_px = tile_limit_px(settings.memory, shown_size, pictures=1 if is_joint else len(regions))
        shown = {"most_px": most_px, "largest_px": shown_px(most_px, shown_size)}
        build = partial(_build_criterion, encoder=encoder, settings=settings, gain=gain, shown=shown, targets=targets)
        given = None if start is None else window.cut(start)
        level = finest.at(scale.size)
        parts = split_regions(level)
        first = _first_layers(parts, coarser, settings, given)
        task = _set_out(level, parts, first, margin, build, settings, jointly=is_joint)
        coarser = None
        if is_joint:
            parts = ()  # no finer scale needs them, and large pictures are too many as it is
        for index, best, goes_on in _follow(task.iterates, pace):
            picture = margin.crop(best.picture)
            yield Step(
                scale=number,
                scales=len(scales),
                size=scale.size,
                step=index,
                steps=scale.steps,
                done=pace.done,
                total=sum(scale.steps for scale in scales),
                losses=best.losses,
                elapsed_s=time.monotonic() - began,
                left_s=pace.left_s,
                notes=task.notes,
                checkpoint=None if goes_on else Checkpoint(picture.contiguous(), (*counts, index)),
                _render=partial(render, picture, is_joint),
            )
        coarser, counts = (parts, picture), (*counts, index)
        del task  # with all that the objective holds, before the next one is built
        encoder.release_memory()
        give_back()


def _first_layers(
    parts: Sequence[Level],
    coarser: tuple[Sequence[Level], Tensor] | None,
    settings: TransferSettings,
    given: Tensor | None,
) -> Tensor:
    """A picture for each region to set out from, shape (regions, 3, h, w)."""
    if coarser is not None:
        return carry_over(*coarser, parts)
    if given is not None:
        return torch.cat([imaging.resize(given, Size(*part.photo.shape[-2:])) for part in parts])
    return torch.cat([STARTS[settings.init](part, settings.seed) for part in parts])


class _Task(NamedTuple):
    """The way of the optimiser at one scale."""

    iterates: Iterates
    notes: tuple[str, ...]


def _follow(iterates: Iterates, pace: Pace) -> Iterator[tuple[int, Iterate, bool]]:
    """After each step of a scale its number, the best picture so far and whether another step follows."""
    best: Iterate | None = None
    for index, iterate in enumerate(iterates):
        if best is None or iterate.losses.total < best.losses.total:
            best = iterate
        if index == 0:  # the start of a scale is not a step
            _check_finite(iterate.losses)
            pace.sets_out()
            continue
        goes_on = pace.goes_on(best.losses.total)
        if not goes_on:
            iterates.close()  # which lets go of what the gradient would have needed
        yield index, best, goes_on


_Build = Callable[[Level], tuple[Criterion, tuple[str, ...]]]


def _set_out(
    level: Level,
    parts: Sequence[Level],
    layers: Tensor,
    margin: Margin,
    build: _Build,
    settings: TransferSettings,
    *,
    jointly: bool,
) -> _Task:
    optimize = OPTIMIZERS[settings.optimizer]
    if jointly:
        start = margin.pad(merge_regions(layers, level))
        level = level.padded(margin)
        criterion, notes = build(level)
        free = (level.cover > 0).to(layers)
        return _Task(optimize(criterion, torch.where(free > 0, start, level.photo), free), notes)
    level, parts, layers = level.padded(margin), [part.padded(margin) for part in parts], margin.pad(layers)
    objective = RegionsCriterion(level, parts, lambda part: build(part)[0])
    free = torch.cat([part.cover > 0 for part in parts]).to(layers)
    grounds = torch.cat([part.photo for part in parts])
    # What has to be left out at a coarse scale is not worth telling.
    return _Task(optimize(objective, torch.where(free > 0, layers, grounds), free), ())


def _build_criterion(
    level: Level,
    *,
    encoder: VGG,
    settings: TransferSettings,
    gain: float,
    shown: Mapping[str, float],
    targets: StyleTargets | None = None,
) -> tuple[Criterion, tuple[str, ...]]:
    """The objective of a scale, and in words what does not fit into it.

    ``shown`` are the pixels that the encoder is shown: ``most_px`` and ``largest_px`` of ``Criterion``.
    """
    short_side = min(level.margin.crop(level.photo).shape[-2:])
    treatments = [region.treatment or settings.treatment for region in level.regions]
    asked = tuple(dict.fromkeys(name for treatment in treatments for name in treatment.content_layers))

    def fitting_of(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if encoder.stride(name) <= short_side)

    content_layers, style_layers = fitting_of(asked), fitting_of(settings.style_layers)
    if not content_layers and not style_layers:
        needed = min(encoder.stride(name) for name in (*asked, *settings.style_layers))
        raise ShapeError(
            f"A picture whose short side is {short_side} pixels is too small for the layers asked for: "
            f"it must be at least {needed}. Use a larger --size or shallower layers."
        )
    fitting = settings.replace(content_layers=content_layers, style_layers=style_layers)
    regions = [
        StyledRegion(
            region.matte,
            style_grams(
                [level.scale_style(style) for style in region.samples],
                encoder,
                fitting.style_layers,
                targets=targets,
                **shown,
            ),
            treatment._replace(content_layers=fitting_of(treatment.content_layers)),
        )
        for region, treatment in zip(level.regions, treatments, strict=True)
    ]
    criterion = Criterion(
        level.photo, regions, encoder, fitting, content_gain=gain, frame_px=level.frame_px, margin=level.margin, **shown
    )
    dropped = [name for name in (*asked, *settings.style_layers) if encoder.stride(name) > short_side]
    note = f"a short side of {short_side} pixels is too small for {', '.join(dropped)}"
    return criterion, (note, *criterion.notes) if dropped else criterion.notes


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
