"""One photo and the regions to paint in it, computed once before the first step."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.enlarge import enlarge_matte
from pochoir.errors import EmptyRegionError
from pochoir.faces import Face, choose_mode, draw_amounts, find_faces, join_faces, measure_cover
from pochoir.imaging import AlphaKind, Matte, Picture
from pochoir.mattes import cover, find_given_matte, lay_before, round_to_8_bit
from pochoir.recipe import Recipe, SegmentSettings, find_work_size
from pochoir.segmentation import Segmentation, Segmenter, find_subject
from pochoir.sources import Sources
from pochoir.transfer import NOISY_ABOVE, Emphasis, Region, Sample, build_emphasis, measure_noise

EMPTY_BELOW = 1 / 255
"""A matte whose largest value is below this is empty in 8 bits."""

LEAST_PAINTED_FACE = 0.1
"""A face of which less is painted is not counted: the soft edge of what is painted beside it reaches into it."""
_NO_STYLE = "no style was given; name one with --style, --subject-style or --background-style"
_CHOICES = ("subject", "box", "keep_points", "drop_points", "scribble")

SegmenterFactory: TypeAlias = Callable[[SegmentSettings, str], Segmenter]
"""Returns the segmenter that some settings name, on a device."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The decoded pictures of a run, and everything that painting needs to know of them.

    Parts that take time are computed when they are first asked for, and kept.

    Args:
        sources: The decoded pictures.
        recipe: The settings.
        device: Device that regions are built on.
        segmenter: Object that finds the subject instead of the segmenter that the recipe names.
        create_segmenter: Returns the segmenter that the recipe names; None loads it anew.
        keeps_faces: Whether faces are kept; None decides by the recipe and by whether the detector is here.
        subject: Subject that was found elsewhere, at the photo's size, such as one that is tracked through a film. It
            may be empty.
        known_faces: Faces that are kept even if the detector misses them, in pixels of ``size``.

    Raises:
        OptionError: The photo is too large to be painted in full.
    """

    sources: Sources
    recipe: Recipe
    device: str = "cpu"
    segmenter: Segmenter | None = None
    create_segmenter: SegmenterFactory | None = None
    keeps_faces: bool | None = None
    subject: Segmentation | None = None
    known_faces: tuple[Face, ...] = ()
    size: Size = field(init=False)
    """Size that is painted at."""
    saved_size: Size = field(init=False)
    """Size of the finished picture."""

    def __post_init__(self) -> None:
        size = find_work_size(self.sources.photo.size, self.recipe)
        object.__setattr__(self, "size", size)
        enlarged = Size(size.height * self.recipe.enlarge, size.width * self.recipe.enlarge)
        object.__setattr__(self, "saved_size", self.sources.photo.size if self.recipe.full_size else enlarged)

    def __repr__(self) -> str:
        return f"Scene({self.sources.photo.name}, {self.size}, {', '.join(self.sources.styles) or 'no style'})"

    @property
    def keeps_alpha(self) -> bool:
        """True if the finished picture keeps the transparency of the photo."""
        photo, recipe = self.sources.photo, self.recipe
        # A style for the background of a cutout asks for a background to be there.
        gets_background = bool(recipe.background_style) and photo.alpha_kind is AlphaKind.CUTOUT
        return photo.alpha is not None and recipe.backdrop.is_photo and not gets_background

    @property
    def own_segmenter(self) -> Segmenter | None:
        """The user's own object that finds the subject; None where none is asked."""
        photo, recipe = self.sources.photo, self.recipe
        is_known = self.subject is not None or find_given_matte(photo, self.sources.mask) is not None
        return self.segmenter if recipe.needs_matte and not is_known else None

    @cached_property
    def segmentation(self) -> Segmentation | None:
        """The subject at the photo's size, its matte rounded to 8 bits; None where no region needs it.

        Raises:
            EmptyRegionError: No subject was found, or the mask is empty.
        """
        photo = self.sources.photo
        if not self.recipe.needs_matte and photo.alpha_kind is not AlphaKind.CUTOUT:
            return None
        if self.subject is not None:
            return dataclasses.replace(self.subject, matte=round_to_8_bit(self.subject.matte))
        found = self._find_subject()
        if found.is_empty:
            raise EmptyRegionError(
                "The mask is empty: it is nowhere above one half, so there is no subject."
                if found.method == "mask"
                else f"{found.method} found no subject in {photo.name}; "
                "give a --mask, --keep-points, or a --box with --segmenter grabcut."
            )
        return dataclasses.replace(found, matte=round_to_8_bit(found.matte))

    def matte_at(self, size: Size) -> Tensor | None:
        """Return the subject's matte at a size, rounded to 8 bits, shape (1, 1, H, W); None where there is none."""
        if self.segmentation is None:
            return None
        matte = self.segmentation.matte
        if self.recipe.enlarge > 1 and size.long_side > matte.shape[-1] and size.long_side > matte.shape[-2]:
            return round_to_8_bit(enlarge_matte(matte, size))
        return round_to_8_bit(imaging.resize(matte, size, mode="bilinear"))

    def opacity_at(self, size: Size) -> Tensor | None:
        """Return the photo's own alpha at a size, rounded to 8 bits, shape (1, 1, H, W); None where it is opaque."""
        if self.sources.photo.alpha is None:
            return None
        return round_to_8_bit(imaging.resize(self.sources.photo.alpha, size, mode="bilinear"))

    def photo_at(self, size: Size) -> Tensor:
        """Return the photo's colours at a size, shape (1, 3, H, W)."""
        return imaging.resize(self.sources.photo.rgb, size)

    def backdrop_at(self, size: Size) -> Tensor | None:
        """Return the new backdrop, shape (1, 3, H, W); None for the photo's own and for a transparent one."""
        if self.sources.backdrop is not None:
            return cover(self.sources.backdrop.rgb, size)
        if self.recipe.backdrop.color is None:
            return None
        color = torch.tensor(self.recipe.backdrop.color) / 255.0
        return color.view(1, 3, 1, 1).expand(1, 3, *size).clone()

    @cached_property
    def ground(self) -> Tensor:
        """The picture that is painted over, shape (1, 3, H, W): the photo, before its new backdrop if that is painted.

        It is on the CPU, at ``size``.
        """
        photo, backdrop, matte = self.photo_at(self.size), self.backdrop_at(self.size), self.matte_at(self.size)
        if backdrop is None or matte is None or not self.recipe.paints_background:
            return photo
        return lay_before(photo, backdrop, matte)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """The regions to paint, at ``size`` and on the device.

        Raises:
            EmptyRegionError: No region has a style and pixels.
        """
        regions = tuple(self._build_region(field, matte) for field, matte in self._filled_mattes.items())
        if not regions:
            raise EmptyRegionError(f"There is nothing to paint: {'; '.join(self._region_notes) or _NO_STYLE}.")
        return regions

    @property
    def region_fields(self) -> tuple[str, ...]:
        """The recipe's field that names the styles of each of ``regions``."""
        return tuple(self._filled_mattes)

    @cached_property
    def faces(self) -> tuple[Face, ...]:
        """The faces in painted parts of the photo, in pixels of ``size``; none if faces are not kept."""
        keeps_faces = choose_mode(self.recipe) == "on" if self.keeps_faces is None else self.keeps_faces
        if not keeps_faces or not self._filled_mattes:
            return ()
        factor = self.size.width / self.sources.photo.size.width
        cover = self._cover
        found = [face.scaled(factor) for face in find_faces(self.sources.photo.rgb)]
        faces = join_faces(found, self.known_faces)
        return tuple(face for face in faces if measure_cover(face, cover) > LEAST_PAINTED_FACE)

    @cached_property
    def emphasis(self) -> Emphasis | None:
        """Factors of content and style for faces, for the mask of protected parts and for calm places, on the device.

        None if the photo counts alike everywhere.
        """
        amounts = draw_amounts(self.faces, self.size)
        if self.sources.protect is not None:
            mask = imaging.resize(self.sources.protect.matte, self.size, mode="bilinear")
            amounts = torch.maximum(amounts, self.recipe.protect_amount * mask)
        ground = self.ground.to(self.device)
        return build_emphasis(ground, amounts=amounts.to(self.device), calm=self.recipe.calm)

    @property
    def _cover(self) -> Tensor:
        return torch.stack(list(self._filled_mattes.values())).sum(dim=0)

    @property
    def _emphasis_notes(self) -> list[str]:
        notes = []
        if self.keeps_faces is None and choose_mode(self.recipe) == "missing":
            notes.append("faces are painted like everything else: get their detector with: pochoir models pull faces")
        if self.faces:
            what = "a face is" if len(self.faces) == 1 else f"{len(self.faces)} faces are"
            notes.append(f"{what} painted more gently than the rest; --keep none turns this off")
        names = dict.fromkeys(style.name for style, _ in self._grainy_styles.values())
        return notes + [
            f"{name}: its noise is removed before its look is learned; --no-clean-style keeps it" for name in names
        ]

    @cached_property
    def _grainy_styles(self) -> dict[int, tuple[Picture, float]]:
        """The styles to clean and their noise, by ``id``. One with a mask is left: a median looks beyond the mask."""
        if not self.recipe.clean_style:
            return {}
        unmasked = [group for field, group in self.sources.styles.items() if field not in self.sources.style_masks]
        styles = [style for group in unmasked for style, _ in group if style.alpha is None]
        measured = {id(style): (style, measure_noise(style.rgb)) for style in styles}
        return {key: (style, noise) for key, (style, noise) in measured.items() if noise > NOISY_ABOVE}

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user: conversions, fallbacks, regions that are left out."""
        notes = [*self.sources.notes, *self._region_notes, *self._emphasis_notes]
        if self.segmentation is not None:
            notes += self.segmentation.notes
        elif unused := _choices_of_the_subject(self.recipe):
            notes.append(
                f"the whole picture is painted and no subject is looked for, so this has no effect: {', '.join(unused)}"
            )
        if self.sources.photo.alpha_kind is AlphaKind.CUTOUT and self.recipe.background_style and not self.keeps_alpha:
            notes.append("the photo's transparent background has no colours; those of the subject are carried on there")
        return tuple(dict.fromkeys(notes))

    def _find_subject(self) -> Segmentation:
        sources, recipe = self.sources, self.recipe
        segmenter = find_given_matte(sources.photo, sources.mask) or self.segmenter
        if segmenter is None and self.create_segmenter is not None:
            segmenter = self.create_segmenter(recipe, self.device)
        scribble = None if sources.scribble is None else sources.scribble.rgb_or_rgba
        return find_subject(sources.photo.rgb, recipe, segmenter=segmenter, device=self.device, scribble=scribble)

    @cached_property
    def _mattes(self) -> dict[str, Tensor]:
        """The matte of each region to paint, by the recipe's field that names its styles."""
        matte, mattes = self.matte_at(self.size), {}
        if self.recipe.style:
            whole = torch.ones(1, 1, *self.size)
            mattes["style"] = whole if matte is None or self.recipe.paints_background else matte
        if matte is not None and self.recipe.subject_style:
            mattes["subject_style"] = matte
        if matte is not None and self.recipe.background_style and self.recipe.paints_background:
            mattes["background_style"] = 1.0 - matte
        opacity = self.opacity_at(self.size) if self.keeps_alpha else None
        if opacity is None:
            return mattes
        # Colours that nobody sees neither get nor give anything. Translucent decoration is seen in full.
        if self.sources.photo.alpha_kind is not AlphaKind.CUTOUT:
            opacity = (opacity > 0).to(opacity)
        return {field: torch.minimum(matte, opacity) for field, matte in mattes.items()}

    @property
    def _filled_mattes(self) -> dict[str, Tensor]:
        return {field: matte for field, matte in self._mattes.items() if float(matte.max()) >= EMPTY_BELOW}

    @property
    def _region_notes(self) -> list[str]:
        notes = []
        if self.recipe.background_style and not self.recipe.paints_background:
            notes.append("the background style is not used: the backdrop is transparent")
        empty = [field for field in self._mattes if field not in self._filled_mattes]
        return notes + [f"the {field.removesuffix('_style')} has no pixels and is not painted" for field in empty]

    def _build_region(self, field: str, matte: Tensor) -> Region:
        name = field.removesuffix("style").removesuffix("_")
        treatment = self.recipe.treatment_of(name) if name else self.recipe.treatment
        masks = self.sources.style_masks.get(field, ())
        styles = self.sources.styles[field]
        samples = [
            self._build_sample(picture, share, mask)
            for (picture, share), mask in zip(styles, masks or [None] * len(styles), strict=True)
        ]
        return Region(matte.to(self.device), samples, treatment)

    def _build_sample(self, picture: Picture, share: float, mask: Matte | None) -> Sample:
        """A style on the device; its transparent pixels are masked out."""
        weight = picture.alpha
        if mask is not None:
            weight = mask.matte if weight is None else torch.minimum(mask.matte, weight)
        if weight is not None and bool((weight == 1).all()):
            weight = None  # the same to the last bit, and faster
        if weight is not None and float(weight.max()) < EMPTY_BELOW:
            raise EmptyRegionError(
                f"The style {picture.name} has nothing to take a look from: its mask covers transparent pixels only."
            )
        key = picture.sha256 if mask is None else f"{picture.sha256} {mask.sha256}"
        part = None if weight is None else weight.to(self.device)
        _, noise = self._grainy_styles.get(id(picture), (picture, 0.0))
        return Sample(picture.rgb.to(self.device), share, part, key, noise)


def _choices_of_the_subject(recipe: Recipe) -> list[str]:
    """Return the settings that say what the subject is, and are not at their defaults."""
    return [name for name in _CHOICES if getattr(recipe, name) != Recipe.model_fields[name].get_default()]
