"""The result of a run: the finished picture, its layers and its record."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from pochoir import compositing, imaging
from pochoir._types import Size
from pochoir.enlarge import Enlarger, load_enlarger
from pochoir.errors import OptionError
from pochoir.mattes import lay_before
from pochoir.recipe import Recipe, Record
from pochoir.scene import Scene
from pochoir.transfer import Losses

PREVIEW_LONG_SIDE_PX = 768
"""Largest long side of the picture that a notebook shows."""


class Composition(NamedTuple):
    """A finished picture and the layers that it is made of, all at the size to save."""

    composite: Tensor
    """Finished picture, shape (1, 3, H, W), or (1, 4, H, W) with alpha."""
    front: Tensor
    """Picture that the subject is cut from, shape (1, 3, H, W)."""
    matte: Tensor | None
    """Subject's matte, shape (1, 1, H, W); None where none was needed."""


@dataclass(frozen=True, eq=False)
class Result:
    """Finished picture of a run and its layers. All tensors are RGB(A) in [0, 1] on the CPU.

    Attributes:
        composite: The finished picture, shape (1, 3, H, W), or (1, 4, H, W) with alpha.
        pastiche: The picture that was optimised, shape (1, 3, h, w); the photo outside of the painted regions.
        matte: The subject's matte at the composite's size, shape (1, 1, H, W); None where none was needed.
        front: The picture that the subject is cut from, at the composite's size, shape (1, 3, H, W).
        losses: Terms of the objective at the last step; None before the first.
        timings: Seconds spent in each stage.
        recipe: The settings.
        notes: Sentences for the user: conversions, fallbacks, what was left out.
        provenance: The recipe with the inputs' and weights' hashes.
        photo: The photo; None where it is not known.
    """

    composite: Tensor
    pastiche: Tensor
    matte: Tensor | None
    front: Tensor
    losses: Losses | None
    timings: Mapping[str, float]
    recipe: Recipe
    notes: tuple[str, ...]
    provenance: Record
    photo: imaging.Picture | None = None

    def __repr__(self) -> str:
        cut = "with alpha" if self.composite.shape[1] == 4 else "opaque"
        seconds = sum(self.timings.values())
        return f"Result({self.size}, {cut}, painted in {seconds:.1f} s, {len(self.notes)} notes)"

    def _repr_png_(self) -> bytes:
        return imaging.encode_preview(self.composite, PREVIEW_LONG_SIDE_PX)

    @property
    def size(self) -> Size:
        """Height and width of the finished picture, in pixels."""
        return Size(*self.composite.shape[-2:])

    @cached_property
    def cutout(self) -> Tensor:
        """The subject on a transparent ground, shape (1, 4, H, W), without a rim of the old background's colours.

        Raises:
            OptionError: The run needed no matte, so there is no subject to cut out.
        """
        if self.matte is None:
            raise OptionError("This run painted the whole picture and looked for no subject, so there is no cutout.")
        if self.recipe.backdrop.is_transparent:
            return self.composite
        return compositing.cutout(self.front, self.matte)

    def image(self) -> Image.Image:
        """Return the finished picture as a PIL image, RGB or RGBA."""
        return imaging.to_image(self.composite)

    def cutout_image(self) -> Image.Image:
        """Return ``cutout`` as a PIL image, RGBA.

        Raises:
            OptionError: The run needed no matte, so there is no subject to cut out.
        """
        return imaging.to_image(self.cutout)

    def record(self) -> str:
        """Return the provenance as JSON, as it is written into pictures."""
        return self.provenance.to_json()

    def layers(self) -> tuple[imaging.Layer, ...]:
        """Return the layers of the finished picture from top to bottom.

        They are the matte (hidden), the subject, the finished picture as its background, and the photo (hidden), as far
        as there are such.
        """
        layers = []
        if self.matte is not None:
            layers.append(imaging.Layer("matte", self.matte.expand(-1, 3, -1, -1), is_visible=False))
            layers.append(imaging.Layer("subject", self.cutout))
        if self.matte is None or not self.recipe.backdrop.is_transparent:
            layers.append(imaging.Layer("background" if layers else "painting", self.composite))
        if self.photo is not None:
            photo = imaging.resize(self.photo.rgb, self.size)
            layers.append(imaging.Layer("photo", photo, is_visible=False))
        return tuple(layers)

    def save(self, path: str | Path, *, options: imaging.SaveOptions | None = None) -> None:
        """Save the finished picture with its record; an ``.ora`` file gets the layers.

        Alpha that the photo brought along is laid on white in formats without transparency.

        Args:
            path: File to write; its extension picks the format.
            options: Depth, compression, and which facts of the photo are kept; None takes the recipe's.

        Raises:
            OutputPathError: The path's format is unknown, or cannot hold the transparency that was asked for.
            WriteError: The file cannot be written.
        """
        if imaging.holds_layers(path):
            chosen = options or imaging.SaveOptions.from_settings(self.recipe)
            record = self.record() if chosen.embed_record else None
            imaging.save_layers(path, self.layers(), size=self.size, record=record, origin="painted")
            return
        rgb, alpha = self.composite[:, :3], self.composite[:, 3:] if self.composite.shape[1] == 4 else None
        if alpha is not None and not self.recipe.backdrop.is_transparent and not imaging.holds_alpha(path):
            rgb, alpha = compositing.alpha_over(rgb, torch.ones_like(rgb), alpha), None
        imaging.save(
            path,
            rgb,
            alpha=alpha,
            record=self.record(),
            options=options or imaging.SaveOptions.from_settings(self.recipe),
            metadata=None if self.photo is None else self.photo.metadata,
            origin="painted",
        )


def compose(scene: Scene, pastiche: Tensor) -> Composition:
    """Put the painted regions, the photo and the backdrop together at the size to save.

    Args:
        scene: The photo, its matte and its backdrop.
        pastiche: The painted picture on the CPU, shape (1, 3, h, w).
    """
    size = scene.saved_size
    matte, opacity = scene.matte_at(size), scene.opacity_at(size)
    larger = _Enlarger(scene)
    painted = larger.enlarge(pastiche)
    front = painted if matte is None or scene.recipe.paints_subject else larger.photo
    cut = matte if matte is None or opacity is None else torch.minimum(matte, opacity)
    composite = _lay_layers(scene, painted, front, cut, larger)
    if scene.keeps_alpha and opacity is not None:
        if scene.recipe.paints_subject and matte is not None and scene.sources.mask is None:
            # Where the cutout is hardly visible, hardly anything holds the painted colours: take those of the subject.
            composite = compositing.estimate_foreground(composite, opacity)
        composite = torch.cat([composite, opacity], dim=1)
    return Composition(composite, front, cut)


class _Enlarger:
    """Pictures of a scene at the size to save, enlarged by the network if the recipe asks for it."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._size, self._factor = scene, scene.saved_size, scene.recipe.enlarge

    @cached_property
    def photo(self) -> Tensor:
        """The photo. Its own pixels are better than enlarged ones, as far as there are enough of them."""
        own = self._scene.sources.photo.size
        if self._factor == 1 or own.long_side >= self._size.long_side:
            return self._scene.photo_at(self._size)
        return self.enlarge(self._scene.photo_at(self._scene.size))

    def enlarge(self, picture: Tensor) -> Tensor:
        """Return a picture of the scene's size at the size to save."""
        if self._factor > 1:
            picture = self._network.enlarge(picture, self._factor)
        return imaging.resize(picture, self._size)

    @cached_property
    def _network(self) -> Enlarger:
        return load_enlarger(device=self._scene.device)


def _lay_layers(scene: Scene, painted: Tensor, front: Tensor, matte: Tensor | None, larger: _Enlarger) -> Tensor:
    if matte is None:
        return painted
    if scene.recipe.backdrop.is_transparent:
        return compositing.cutout(front, matte)
    if scene.recipe.paints_subject and scene.recipe.paints_background:
        return painted
    backdrop = scene.backdrop_at(scene.saved_size)
    if backdrop is not None and not scene.recipe.paints_background:
        return lay_before(front, backdrop, matte)
    back = painted if scene.recipe.paints_background else larger.photo
    return compositing.composite(front, back, matte)
