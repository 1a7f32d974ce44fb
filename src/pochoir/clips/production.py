"""A clip in the making: paint the cutout and the plate, then move the one over the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

import numpy as np
import torch
from torch import Tensor

from pochoir import imaging
from pochoir._devices import resolve_device
from pochoir.animation import boil
from pochoir.animation.arrays import Layer, Picture, Plane
from pochoir.animation.casting import find_rig
from pochoir.animation.clip import Actor, Clip, Effects, Stage
from pochoir.animation.motions import MOTIONS
from pochoir.animation.plate import fill_plate
from pochoir.animation.pose import Doubt
from pochoir.animation.rig import Rig
from pochoir.animation.settings import ClipSettings
from pochoir.clips.arrays import lock_cutout_colors, to_layer, to_picture, to_tensor
from pochoir.clips.layers import clip_layers
from pochoir.clips.plan import Plan, plate_recipe, without_background
from pochoir.clips.records import ClipRecord
from pochoir.clips.strips import Strips, draw_strips
from pochoir.encoders import VGG
from pochoir.errors import OptionError, WeightsMissingError
from pochoir.imaging import AlphaKind
from pochoir.painting import Painting
from pochoir.recipe import Environment, Recipe, Record, Request
from pochoir.result import Result
from pochoir.scene import Scene
from pochoir.segmentation import Segmenter
from pochoir.sources import Sources

SUBJECT, BACKGROUND = "subject", "background"
"""Names of the first painting of each region."""
SHADOW: Final = 0.42
"""Share of the light that the contact shadow takes where it is darkest."""
PARALLAX: Final = 0.012
"""Largest drift of the background to either side, as a share of its width."""
BOIL_HOLD: Final = 3
"""Frames for which each of several paintings is shown."""

Value = TypeVar("Value")


@dataclass(eq=False)
class Production:
    """A clip in the making: first its paintings, then the clip.

    Args:
        sources: The decoded pictures.
        recipe: Settings of the painting.
        settings: Settings of the clip.
        rig: Limbs of the subject; None finds them where a motion needs them.
        notes: Facts that the user should know.
        done: Steps that each painting was given when it was made first, by its name, where a time limit decided.
        threads: Number of CPU threads; None takes the recipe's, or torch's.
        engine: ``"auto"`` or ``"torch"``; see ``Painting``.
        segmenter: Object of the user's own that finds the subject.
        encoder: Network of the user's own.
    """

    sources: Sources
    recipe: Recipe
    settings: ClipSettings
    rig: Rig | None = None
    notes: tuple[str, ...] = ()
    done: dict[str, tuple[int, ...]] = field(default_factory=dict)
    threads: int | None = None
    engine: str = "auto"
    segmenter: Segmenter | None = None
    encoder: VGG | None = None

    def __post_init__(self) -> None:
        self._subject = self._painting(self._subject_sources(), self._limited(SUBJECT, self._subject_recipe()))
        self._clip: Clip | None = None
        self._photo: Picture | None = None

    @property
    def is_transparent(self) -> bool:
        """True if the clip has no background: none is wanted, or the photo is a cutout."""
        backdrop = self.recipe.backdrop
        has_none = self.sources.photo.alpha_kind is AlphaKind.CUTOUT and str(backdrop) == "photo"
        return backdrop.is_transparent or has_none

    def paintings(self) -> Iterator[tuple[str, Painting]]:
        """Yield the paintings that the clip needs, each with its name; run each of them before taking the next.

        Raises:
            EmptyRegionError: No subject was found.
            OptionError: No subject can do the motion.
            WeightsError: Trained weights are missing.
        """
        scene = self._subject.scene
        photo, alpha = to_picture(scene.photo_at(scene.saved_size)), self._alpha(scene)
        # The cast comes first: a motion that nobody can do should not cost a painting.
        plan = Plan(photo, alpha, self.settings, self.rig, is_transparent=self.is_transparent)
        subjects: list[Tensor] = []
        if scene.recipe.paints_subject:
            yield SUBJECT, self._subject
        result = self._subject.result()
        subjects.append(result.cutout)
        self._note(result.notes)
        self._remember(SUBJECT, result)
        if scene.recipe.paints_subject:
            for number in range(1, self.settings.boil + 1):
                painting = self._repaint(self._subject, result.pastiche, number)
                yield title_repainting(SUBJECT, number, self.settings.boil), painting
                subjects.append(lock_cutout_colors(painting.result().cutout, result.cutout))
        plates: list[Picture] = []
        if not self.is_transparent:
            for title, painting in self._plate_paintings(plan, plates):
                yield title, painting
        self._photo = plan.plate_hole()[0]
        self._clip = self._assemble(plan, [plan.place(to_layer(cutout)) for cutout in subjects], plates)

    def clip(self) -> Clip:
        """Return the clip; paints first what has not been painted."""
        if self._clip is None:
            for _, painting in self.paintings():
                for _ in painting:
                    pass
        assert self._clip is not None  # noqa: S101  (made after the last painting)
        return self._clip

    def layers(self) -> tuple[imaging.Layer, ...]:
        """Return the layers at rest from top to bottom: matte, parts of the subjects, plate and photo."""
        clip = self.clip()
        assert self._photo is not None  # noqa: S101  (set with the clip)
        return clip_layers(clip, self._photo)

    def find_rig(self) -> Rig:
        """Return the limbs that are found in the photo, at the photo's size.

        Raises:
            OptionError: No limbs are found; the text says why.
            WeightsMissingError: The weights for people are not in the cache.
        """
        scene = self._subject.scene
        found = find_rig(to_picture(scene.photo_at(scene.saved_size)), self._alpha(scene))
        if isinstance(found, Doubt):
            raise OptionError(f"No limbs are found: {found.reason}. Write a rig by hand; docs/animation.md shows one.")
        return found.resized(self.sources.photo.size)

    def strips(self) -> Strips:
        """Return a strip of frames for each motion that the subject can do, on a plain ground and without painting."""
        return draw_strips(self.trials())

    def trials(self, *, is_transparent: bool = False) -> Iterator[tuple[str, Clip | str]]:
        """Yield each motion with its clip, or with the reason why the subject cannot do it; nothing is painted.

        Args:
            is_transparent: Leave the plain ground out.
        """
        scene = self._subject.scene
        photo, alpha = to_picture(scene.photo_at(scene.saved_size)), self._alpha(scene)
        cutout = to_layer(self._painting(self._subject_sources(), self._subject_recipe()).result().cutout)
        for name in MOTIONS:
            settings = self.settings.replace(motion=(name,))
            try:
                plan = Plan(photo, alpha, settings, self.rig, is_transparent=True)
            except (OptionError, WeightsMissingError) as error:
                yield name, str(error)
                continue
            grounds = () if is_transparent else (np.full((*plan.size, 3), np.float32(0.93), np.float32),)
            actors = tuple(Actor(role.puppet, (role.take(plan.place(cutout)),), role.moves) for role in plan.cast.roles)
            yield name, Clip(Stage(actors, grounds, plan.size), plan.timing, Effects(towards=settings.towards))

    @property
    def quality(self) -> int | None:
        """Quality of formats that lose detail; None where the recipe leaves it to each format."""
        usual = Recipe.model_fields["quality"].default
        return None if self.recipe.quality == usual else self.recipe.quality

    @property
    def input_paths(self) -> list[str]:
        """Files that are read, which an output must not replace."""
        return [entry.path for entry in self.sources.files() if entry.path is not None]

    def _alpha(self, scene: Scene) -> Plane:
        matte = scene.matte_at(scene.saved_size)
        assert matte is not None  # noqa: S101  (a transparent backdrop needs one)
        return np.ascontiguousarray(matte[0, 0].numpy())

    def _subject_recipe(self) -> Recipe:
        """Return the recipe that paints the subject alone."""
        return without_background(self.recipe).replace(backdrop="transparent")

    def _subject_sources(self) -> Sources:
        return replace(
            self.sources,
            backdrop=None,
            styles=_without(self.sources.styles, "background_style"),
            style_masks=_without(self.sources.style_masks, "background_style"),
        )

    def _painting(self, sources: Sources, recipe: Recipe) -> Painting:
        scene = Scene(sources, recipe, device=resolve_device(recipe.device), segmenter=self.segmenter)
        return Painting(scene, encoder=self.encoder, threads=self.threads, engine=self.engine)

    def _repaint(self, first: Painting, pastiche: Tensor, number: int) -> Painting:
        """Prepare to paint a finished picture again with other strokes."""
        start = boil.stir(to_picture(pastiche), self.recipe.seed * 1000 + number)
        sources = replace(first.scene.sources, init=imaging.load(to_tensor(start)[0]))
        found = first.scene.segmentation
        if found is not None:  # the subject is where it was; finding it again would take time
            sources = replace(sources, mask=imaging.load_matte(found.matte[0, 0], size=sources.photo.size))
        recipe = first.recipe.replace(init="<image>", schedule=(boil.STEPS,), time=None)
        return self._painting(sources, recipe)

    def _plate_paintings(self, plan: Plan, plates: list[Picture]) -> Iterator[tuple[str, Painting]]:
        """Fill ``plates``; yield the paintings that this needs."""
        ground = self._ground(plan)
        region = "background_style" if self.recipe.background_style else "style"
        styles = self.sources.styles.get(region)
        if not styles:
            plates.append(ground)
            return
        masks = self.sources.style_masks.get(region)
        sources = Sources(
            photo=imaging.load(to_tensor(ground)[0]),
            styles={"style": styles},
            style_masks={} if masks is None else {"style": masks},
        )
        recipe = self._limited(BACKGROUND, plate_recipe(self.recipe, region, plan.size))
        painting = self._painting(sources, recipe)
        yield BACKGROUND, painting
        result = painting.result()
        self._remember(BACKGROUND, result)
        first = to_picture(result.composite)
        plates.append(first)
        for number in range(1, self.settings.boil + 1):
            again = self._repaint(painting, result.pastiche, number)
            yield title_repainting(BACKGROUND, number, self.settings.boil), again
            plates.append(boil.lock_colors(to_picture(again.result().composite), first))

    def _ground(self, plan: Plan) -> Picture:
        """Return the background before it is painted: the photo without its subject, or the backdrop."""
        scene = self._subject.scene
        if str(self.recipe.backdrop) == "photo":
            return fill_plate(*plan.plate_hole())
        with_backdrop = Scene(self.sources, without_background(self.recipe), device=scene.device)
        backdrop = with_backdrop.backdrop_at(plan.size)
        assert backdrop is not None  # noqa: S101  (neither the photo nor transparent)
        return to_picture(backdrop)

    def _assemble(self, plan: Plan, cutouts: list[Layer], plates: list[Picture]) -> Clip:
        settings = self.settings
        actors = tuple(
            Actor(role.puppet, tuple(role.take(cutout) for cutout in cutouts), role.moves) for role in plan.cast.roles
        )
        scroll = plan.scroll
        self._note(plan.cast.notes)
        return Clip(
            Stage(actors, tuple(plates), plan.size, scroll),
            plan.timing,
            Effects(
                shadow=SHADOW if settings.shadow else 0.0,
                parallax=PARALLAX if settings.parallax else 0.0,
                towards=settings.towards,
                boil_hold=max(BOIL_HOLD, settings.on),
            ),
            record=None if self.recipe.no_recipe else self.record,
            notes=self.notes,
        )

    @property
    def record(self) -> str:
        """Record of the clip, as it is saved with it: settings, inputs and environment."""
        if self.recipe.paints_subject or self.recipe.paints_background:
            environment = self._painting(self.sources, self.recipe).environment
        else:
            device, threads = self._subject.scene.device, self._subject.threads
            environment = Environment(torch=torch.__version__, device=device, threads=threads)
        made = Record(
            request=Request(recipe=self.recipe, inputs=self.sources.files(), own=self._subject.request.own),
            environment=environment,
        )
        return ClipRecord(made, self.settings, self.rig, self.done).to_json()

    def _limited(self, name: str, recipe: Recipe) -> Recipe:
        """Return the recipe with its share of the time limit, or with the steps that were done the first time."""
        if name in self.done:
            return recipe.replace(time=None, schedule=self.done[name])
        if recipe.time is None:
            return recipe
        both = self.recipe.paints_subject and self.recipe.paints_background and not self.is_transparent
        count = (2 if both else 1) * (1 + self.settings.boil / 4)  # a repainting takes about a fourth of the steps
        return recipe.replace(time=float(recipe.time) / count)

    def _remember(self, name: str, result: Result) -> None:
        if result.provenance.done:
            self.done[name] = result.provenance.done

    def _note(self, notes: Sequence[str]) -> None:
        self.notes = tuple(dict.fromkeys((*self.notes, *notes)))


def title_repainting(region: str, number: int, count: int) -> str:
    """Return the name of a region's repainting."""
    return f"{region} again, {number} of {count}"


def _without(table: Mapping[str, Value], name: str) -> dict[str, Value]:
    return {key: value for key, value in table.items() if key != name}
