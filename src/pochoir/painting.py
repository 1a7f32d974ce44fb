"""A run from decoded pictures to a result: calls the rooms in their order and holds no maths of its own."""

import hashlib
import math
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import torch
from PIL import ImageColor
from torch import Tensor

from pochoir import compositing, imaging, weights
from pochoir._threads import torch_threads
from pochoir._types import Size
from pochoir._version import __version__
from pochoir.encoders import VGG, load_encoder
from pochoir.errors import EmptyRegionError, OptionError
from pochoir.recipe.quantities import parse_duration_s
from pochoir.recipe.recipe import BACKDROPS, FULL, MOST_SIZE_PX, Recipe
from pochoir.recipe.record import InputFile, Record, hash_file
from pochoir.segmentation import GivenMatte, Segmentation, Segmenter, find_subject
from pochoir.sources import Sources
from pochoir.transfer import Checkpoint, Losses, Region, Sample, Step, expected_bytes, give_back, iter_paint

DEFAULT_LONG_SIDE_PX = 512
SAVING_S, SAVING_S_PER_PX = 0.5, 1.5e-6
"""Of a run in limited time, what is kept for composing and saving."""


@dataclass(frozen=True, eq=False)
class Result:
    """What came out of a run. All tensors are RGB(A) in [0, 1] on the CPU.

    Attributes:
        composite: The finished picture, shape (1, 3, H, W), or (1, 4, H, W) on a transparent backdrop.
        pastiche: The picture that was optimised, shape (1, 3, h, w); the photo outside of the painted regions.
        matte: The subject's matte at the composite's size, shape (1, 1, H, W); None where none was needed.
        front: What the subject is cut from, at the composite's size, shape (1, 3, H, W).
        losses: Terms of the objective at the last step; None before the first.
        timings: Seconds spent in each stage.
        recipe: The settings.
        notes: What the user should know: conversions, fallbacks, what was left out.
        provenance: The recipe with the inputs' and weights' hashes.
    """

    composite: Tensor
    pastiche: Tensor
    matte: Tensor | None
    front: Tensor
    losses: Losses | None
    timings: Mapping[str, float]
    recipe: Recipe
    notes: tuple[str, ...]
    provenance: Record = field(repr=False)

    @cached_property
    def cutout(self) -> Tensor:
        """The subject on a transparent ground, shape (1, 4, H, W), without a rim of the old background's colours.

        Raises:
            OptionError: The run needed no matte, so there is no subject to cut out.
        """
        if self.matte is None:
            raise OptionError("This run painted the whole picture and looked for no subject, so there is no cutout.")
        if self.composite.shape[1] == 4:
            return self.composite
        return compositing.cutout(self.front, self.matte)

    def record(self) -> str:
        """The provenance as JSON, as it is written into pictures."""
        return self.provenance.to_json()

    def save(self, path: str | Path) -> None:
        """Save the composite with its record inside.

        Raises:
            OutputPathError: The path's format is unknown or cannot hold transparency.
            WriteError: The file cannot be written.
        """
        alpha = self.composite[:, 3:] if self.composite.shape[1] == 4 else None
        imaging.save(path, self.composite[:, :3], alpha=alpha, record=self.record())


class Painting:
    """A run that can be watched: iterate for ``Step`` events, ask for ``result()`` at any time.

    Iterating a second time goes on where the first stopped.

    Args:
        sources: The decoded pictures.
        recipe: The settings.
        segmenter: Finds the subject instead of the recipe's segmenter.
        encoder: Replaces the recipe's encoder; its device is used.
        recorded_inputs: What the record is to say of the inputs, instead of where they were found this time.
        threads: Overrides the recipe's number of CPU threads without being recorded as a setting.
        engine: ``"auto"``, or ``"torch"`` for an encoder on plain torch; see ``encoders.VGG``.
        notes: What the user should know besides what the run itself has to say.
        began_s: When the recipe's time began to run, as ``time.monotonic()`` told; None for now.
    """

    def __init__(
        self,
        sources: Sources,
        recipe: Recipe,
        *,
        segmenter: Segmenter | None = None,
        encoder: VGG | None = None,
        recorded_inputs: tuple[InputFile, ...] | None = None,
        threads: int | None = None,
        engine: str = "auto",
        notes: tuple[str, ...] = (),
        began_s: float | None = None,
    ) -> None:
        self.sources = sources
        self.recipe = recipe
        self.device = resolve_device(recipe.device)
        self.threads = threads or recipe.threads or torch.get_num_threads()
        self.size = work_size(sources.photo.size, recipe)
        self.timings: dict[str, float] = {}
        self.last_step: Step | None = None
        self.is_finished = False
        self._steps_by_scale: dict[int, int] = {}
        self._checkpoint: Checkpoint | None = None
        self._began_s = time.monotonic() if began_s is None else began_s
        self._first_notes = notes
        self._segmenter = segmenter
        self._encoder = encoder
        self._engine = engine
        self._engine_used = "torch"
        self._recorded_inputs = recorded_inputs if recorded_inputs is not None else sources.files()
        self._steps = self._step_by_step()

    def __iter__(self) -> Iterator[Step]:
        return self._steps

    @property
    def needs_matte(self) -> bool:
        """Whether subject and background are told apart at all."""
        recipe = self.recipe
        return bool(recipe.subject_style or recipe.background_style or recipe.backdrop != "photo" or recipe.mask)

    @cached_property
    def segmentation(self) -> Segmentation | None:
        """The subject, at the photo's size; None if it is not needed.

        Raises:
            EmptyRegionError: No subject was found, or the mask is empty.
        """
        if not self.needs_matte:
            return None
        with self._timed("segment"):
            found = self._find_subject()
        if found.is_empty:
            raise EmptyRegionError(
                "The mask is empty: it is nowhere above one half, so there is no subject."
                if found.method == "mask"
                else f"{found.method} found no subject in {self.sources.photo.name}; "
                "give a --mask, --keep-points, or a --box with --segmenter grabcut."
            )
        return replace(found, matte=_to_8_bit(found.matte))

    def _find_subject(self) -> Segmentation:
        sources = self.sources
        segmenter = self._segmenter
        settings = self.recipe
        if sources.mask is not None:
            notes = _fullness("mask", sources.mask.matte)
            segmenter = GivenMatte(sources.mask.matte, name="mask", notes=notes)
        elif sources.photo.alpha is not None:
            notes = ("the photo's own alpha is used as the matte", *_fullness("alpha", sources.photo.alpha))
            segmenter = GivenMatte(sources.photo.alpha, name="alpha", notes=notes)
        if isinstance(segmenter, GivenMatte):
            settings = replace(settings, refine="none")  # its edges are as its maker wanted them
        scribble = None if sources.scribble is None else sources.scribble.rgb_or_rgba
        return find_subject(sources.photo.rgb, settings, segmenter=segmenter, device=self.device, scribble=scribble)

    def _matte_at(self, size: Size) -> Tensor | None:
        if self.segmentation is None:
            return None
        return _to_8_bit(imaging.resize(self.segmentation.matte, size, mode="bilinear"))

    def _ground_at(self, size: Size) -> Tensor:
        """What is painted on: the photo, on its new backdrop if that is to be painted too."""
        photo = imaging.resize(self.sources.photo.rgb, size)
        backdrop = self._backdrop_at(size)
        matte = self._matte_at(size)
        if backdrop is None or matte is None or not self._paints_background:
            return photo
        return _lay_before(photo, backdrop, matte)

    def _backdrop_at(self, size: Size) -> Tensor | None:
        """The backdrop picture or colour, shape (1, 3, H, W); None for the photo's own or a transparent one."""
        if self.sources.backdrop is not None:
            return _cover(self.sources.backdrop.rgb, size)
        if self.recipe.backdrop in BACKDROPS:
            return None
        color = torch.tensor(ImageColor.getrgb(self.recipe.backdrop)[:3]) / 255.0
        return color.view(1, 3, 1, 1).expand(1, 3, *size).clone()

    @property
    def _paints_subject(self) -> bool:
        return bool(self.recipe.style or self.recipe.subject_style)

    @property
    def _paints_background(self) -> bool:
        # What will be cut away is not painted.
        painted = self.recipe.style or self.recipe.background_style
        return bool(painted) and self.recipe.backdrop != "transparent"

    @cached_property
    def _regions(self) -> tuple[tuple[Region, ...], tuple[str, ...]]:
        """The regions to paint at the working size, and what was left out."""
        matte, device = self._matte_at(self.size), self.device
        mattes: dict[str, Tensor] = {}
        if self.recipe.style:
            whole = torch.ones(1, 1, *self.size)
            mattes["style"] = whole if matte is None or self._paints_background else matte
        if matte is not None and self.recipe.subject_style:
            mattes["subject_style"] = matte
        if matte is not None and self.recipe.background_style and self._paints_background:
            mattes["background_style"] = 1.0 - matte
        notes = []
        if self.recipe.background_style and not self._paints_background:
            notes.append("the background style is not used: the backdrop is transparent")
        regions = []
        for name, region_matte in mattes.items():
            if float(region_matte.max()) < 1 / 255:
                notes.append(f"the {name.removesuffix('_style')} has no pixels and is not painted")
                continue
            region = name.removesuffix("style").removesuffix("_")
            treatment = self.recipe.treatment_of(region) if region else self.recipe.treatment
            regions.append(Region(region_matte.to(device), self._samples(name), treatment))
        if not regions:
            raise EmptyRegionError(f"There is nothing to paint: {'; '.join(notes) or 'no style was given'}.")
        return tuple(regions), tuple(notes)

    def _samples(self, name: str) -> list[Sample]:
        """The styles of one of the recipe's fields, on the device."""
        styles = self.sources.styles[name]
        masks = self.sources.style_masks.get(name, ())
        # A mask that is white everywhere is none: the result is the same to the last bit.
        parts = [None if bool((mask.matte == 1).all()) else mask.matte.to(self.device) for mask in masks]
        return [
            Sample(picture.rgb.to(self.device), share, part)
            for (picture, share), part in zip(styles, parts or [None] * len(styles), strict=True)
        ]

    def _step_by_step(self) -> Generator[Step, None, None]:
        steps = self._iter_steps()
        while True:
            # Between two steps the process is the caller's, who may break off or watch another painting, too.
            with torch_threads(self.threads):
                step = next(steps, None)
            if step is None:
                give_back()  # pictures of other sizes are to be made now
                self.is_finished = True
                return
            self.last_step = step
            self._steps_by_scale[step.scale] = step.step
            self.timings["paint"] = step.elapsed_s
            yield step

    def _iter_steps(self) -> Iterator[Step]:
        regions, _ = self._regions
        with self._timed("load encoder"):
            encoder = self._encoder or load_encoder(
                self.recipe.encoder,
                pooling=self.recipe.pooling,
                device=self.device,
                engine=self._engine,
                may_round=True,
            )
            self._engine_used = encoder.engine
        ground = self._ground_at(self.size).to(self.device)
        init = self.sources.init
        start = None if init is None else imaging.resize(init.rgb, self.size).to(self.device)
        yield from iter_paint(
            ground,
            regions,
            encoder,
            self.recipe,
            start=start,
            budget_s=self._budget_s(),
            checkpoint=self._checkpoint,
        )

    @property
    def key(self) -> str:
        """Tells runs apart that come to other pictures: the hash of all settings and inputs."""
        told = (__version__, torch.__version__, self.recipe, self._recorded_inputs, self.device, self.threads)
        return hashlib.sha256(repr((*told, self._engine)).encode()).hexdigest()

    def take_up(self, checkpoint: Checkpoint) -> None:
        """Go on, before the first step, where a run with the same ``key`` had got to; it comes to the same picture."""
        self._checkpoint = checkpoint
        self._steps_by_scale = dict(enumerate(checkpoint.steps, start=1))

    def _budget_s(self) -> float:
        """Seconds that are left for painting."""
        if not self.recipe.time:
            return math.inf
        saved = self.sources.photo.size if self.recipe.full_size else self.size
        to_save_s = SAVING_S + SAVING_S_PER_PX * saved.pixels
        return parse_duration_s(self.recipe.time) - (time.monotonic() - self._began_s) - to_save_s

    @property
    def expected_bytes(self) -> int:
        """Memory that painting will take, about."""
        return expected_bytes(self.recipe.memory, self.size)

    def _recipe_as_done(self) -> Recipe:
        """The recipe that gives this picture again; where a run was cut short, by the steps that were done."""
        step = self.last_step
        if step is None or (self.is_finished and not self.recipe.time):
            return self.recipe
        counts = tuple(self._steps_by_scale.get(scale, 0) for scale in range(1, step.scales + 1))
        return replace(self.recipe, time="", schedule=counts)

    def close(self) -> None:
        """Take no further step, and let go of the memory that the next one would have needed."""
        self._steps.close()

    def result(self) -> Result:
        """The result with the best picture so far; before the first step, with the photo unpainted."""
        with torch_threads(self.threads):
            step = self.last_step
            pastiche = self._ground_at(self.size) if step is None else step.picture().cpu()
            with self._timed("compose"):
                front, composite, matte = self._compose(pastiche)
        return Result(
            composite=composite,
            pastiche=pastiche,
            matte=matte,
            front=front,
            losses=None if step is None else step.losses,
            timings=dict(self.timings),
            recipe=self.recipe,
            notes=self._notes(),
            provenance=self._provenance(),
        )

    def _compose(self, pastiche: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Front layer, composite and matte, at the size to save at."""
        size = self.sources.photo.size if self.recipe.full_size else self.size
        painted, matte = imaging.resize(pastiche, size), self._matte_at(size)
        if matte is None:
            return painted, painted, None
        photo = imaging.resize(self.sources.photo.rgb, size)
        front = painted if self._paints_subject else photo
        if self.recipe.backdrop == "transparent":
            return front, compositing.cutout(front, matte), matte
        if self._paints_subject and self._paints_background:
            return front, painted, matte
        backdrop = self._backdrop_at(size)
        if backdrop is not None and not self._paints_background:
            return front, _lay_before(front, backdrop, matte), matte
        back = painted if self._paints_background else photo
        return front, compositing.composite(front, back, matte), matte

    def _notes(self) -> tuple[str, ...]:
        notes = [*self._first_notes, *self.sources.notes, *self._regions[1]]
        if self.segmentation is not None:
            notes += self.segmentation.notes
        if self.last_step is not None:
            notes += self.last_step.notes
            if self.recipe.time and self.last_step.done < self.last_step.total:
                count = f"{self.last_step.done} of {self.last_step.total} steps"
                notes.append(f"painted in {count}: more did not fit in the time, or would not show")
        return tuple(dict.fromkeys(notes))

    def _provenance(self) -> Record:
        used = [] if self._encoder is not None else [self.recipe.encoder]
        if self.segmentation is not None and self._segmenter is None and self.segmentation.method in weights.TABLE:
            used.append(self.segmentation.method)
        return Record(
            version=__version__,
            torch=torch.__version__,
            recipe=self._recipe_as_done(),
            inputs=self._recorded_inputs,
            weights={name: hash_file(weights.where(name)) for name in used},
            device=self.device,
            threads=self.threads,
            engine=self._engine_used,
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.timings[stage] = time.monotonic() - began


def work_size(photo: Size, recipe: Recipe) -> Size:
    """The size to paint at: ``recipe.size`` on the long side, or 512, or the photo's own if that is smaller.

    Raises:
        OptionError: The photo's own is wanted and is too large.
    """
    if recipe.size == FULL and photo.long_side > MOST_SIZE_PX:
        raise OptionError(f"The photo has {photo} pixels; --size takes up to {MOST_SIZE_PX}, and {FULL} is more here.")
    wanted = photo.long_side if isinstance(recipe.size, str) else recipe.size
    long_side = wanted if wanted is not None else min(DEFAULT_LONG_SIDE_PX, photo.long_side)
    return photo if long_side == photo.long_side else photo.fit_long_side(long_side)


def resolve_device(name: str) -> str:
    """The device that a recipe's ``device`` means on this machine.

    Raises:
        OptionError: This machine has no such device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if name.startswith("cuda"):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(name.partition(":")[2] or 0) >= count:
            raise OptionError(f"There is no device {name} here: torch finds {count} CUDA devices. Use --device auto.")
    if name == "mps" and not torch.backends.mps.is_available():
        raise OptionError("There is no device mps here. Use --device auto.")
    return name


def _lay_before(front: Tensor, backdrop: Tensor, matte: Tensor) -> Tensor:
    """The subject before a backdrop that it was never mixed with, unlike the photo's own background."""
    return compositing.alpha_over(compositing.estimate_foreground(front, matte), backdrop, matte)


def _fullness(name: str, matte: Tensor) -> tuple[str, ...]:
    is_full = bool((_to_8_bit(matte) == 1).all())
    return (f"the {name} is full: everything is subject and there is no background",) if is_full else ()


def _to_8_bit(matte: Tensor) -> Tensor:
    # A matte is kept in files of 8 bits. Rounding it before it is used makes 'where the saved matte is 0 or 1'
    # and 'where the matte is 0 or 1' the same pixels, and running again from the saved matte the same run.
    return (matte * 255.0).round() / 255.0


def _cover(picture: Tensor, size: Size) -> Tensor:
    """A picture scaled to cover a size, the overhang cut evenly."""
    own = Size(*picture.shape[-2:])
    factor = max(size.height / own.height, size.width / own.width)
    # Cut first: a sliver scaled whole could be larger than the memory.
    height, width = max(1, round(size.height / factor)), max(1, round(size.width / factor))
    top, left = (own.height - height) // 2, (own.width - width) // 2
    return imaging.resize(picture[..., top : top + height, left : left + width], size)
