"""Painting of single frames of a film, by the code that paints stills."""

import hashlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.errors import EmptyRegionError
from pochoir.faces import Face
from pochoir.imaging import Picture
from pochoir.recipe import Recipe, SegmentSettings
from pochoir.result import compose
from pochoir.scene import Scene
from pochoir.segmentation import Segmentation
from pochoir.sources import Sources
from pochoir.transfer import Anchor, Region, Sample, Step, StyleTargets, iter_paint
from pochoir.transfer.color_modes import Palette
from pochoir.transfer.pyramid import Level
from pochoir.transfer.starts import STARTS

Pixels = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

COARSE_STEPS: Final = 14 / 36
FINE_STEPS: Final = 6 / 36
"""Steps of a later key at half size, in regions of which not all is seen, and at full size, as shares of the
recipe's."""
LEAST_UNSEEN: Final = 0.05
"""Share of a region that has to be unseen for steps at half size."""
ANCHOR_STRENGTH: Final = 100.0
STYLE_GAIN: Final = 1.5
"""Factor on the style weight of later keys, which have fewer steps, start as the key before them, and are held to it.
Without it, films were 12 % instead of 6 % farther from their styles than stills."""
LEAST_REGION_PX: Final = 64
LEAST_SIDE_PX: Final = 16
"""Smallest region, in pixels, and shortest side that are painted."""


class Frame:
    """One frame with its subject, ready to be painted.

    Args:
        scene: The frame and its regions.
        colors: Recoloured styles of the shot's first key; None takes the frame's own.
    """

    def __init__(self, scene: Scene, colors: "ShotColors | None" = None) -> None:
        self.scene = scene
        self._colors = colors

    @cached_property
    def is_painted(self) -> bool:
        """True if there is a region to paint."""
        return bool(self.parts)

    @cached_property
    def parts(self) -> dict[str, Region]:
        """The regions by the recipe's field of their styles.

        A subject that is just coming into the picture is too small to be painted: it goes with what is around it.
        """
        fields = self.scene.region_fields
        found = dict(zip(fields, self.scene.regions, strict=True)) if fields else {}
        areas = {name: float(region.matte.sum()) for name, region in found.items()}
        small = [name for name, area in areas.items() if area < LEAST_REGION_PX]
        if not small or len(small) == len(found):
            return {name: region for name, region in found.items() if name not in small}
        largest = max(areas, key=lambda name: areas[name])
        joined = torch.stack([found[name].matte for name in (largest, *small)]).sum(dim=0).clamp(max=1.0)
        parts = {name: region for name, region in found.items() if name not in small}
        return parts | {largest: replace(found[largest], matte=joined)}

    @cached_property
    def ground(self) -> Pixels:
        """The picture that is painted over, shape (H, W, 3)."""
        return to_pixels(self.scene.ground)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """The regions, in the colours of the shot."""
        parts = self.parts
        return tuple(parts.values()) if self._colors is None else self._colors.apply(parts)

    @property
    def can_be_halved(self) -> bool:
        """True if every region is large enough to be painted at half the size first."""
        smallest = min(float(region.matte.sum()) for region in self.parts.values())
        return smallest >= 4 * LEAST_REGION_PX and self.scene.size.short_side >= 2 * LEAST_SIDE_PX

    @cached_property
    def cover(self) -> Map:
        """Share of each pixel that is painted, shape (H, W)."""
        if not self.is_painted:
            return np.zeros(self.scene.size, np.float32)
        total = torch.stack([region.matte for region in self.parts.values()]).sum(dim=0)
        return np.asarray(total[0, 0].cpu().numpy(), np.float32)

    @cached_property
    def subject(self) -> Map | None:
        """The subject's matte at the size to paint at, shape (H, W); None where there is none."""
        matte = self.scene.matte_at(self.scene.size)
        return None if matte is None else np.asarray(matte[0, 0].numpy(), np.float32)

    @cached_property
    def background(self) -> Mask | None:
        """Mask of the pixels without any subject, shape (H, W); None if the subject is not known."""
        return None if self.subject is None else np.asarray(self.subject < 1 / 255)

    def with_faces(self, faces: tuple[Face, ...]) -> "Frame":
        """Return the same frame, in which these faces are kept even if the detector misses them.

        Args:
            faces: In pixels of the size to paint at.
        """
        return Frame(replace(self.scene, known_faces=faces), self._colors) if faces else self

    def palette(self) -> Tensor:
        """Return the frame in the colours of its styles, shape (1, 3, H, W): the picture that painting starts from."""
        recipe = self.scene.recipe
        ground = self.scene.ground.to(self.scene.device)
        colors = Palette(ground, self.regions, recipe.treatment)
        level = Level(colors.content, colors.regions, recipe.style_scale, float(self.scene.size.pixels))
        return STARTS["content"](level, recipe.seed)

    def settle(self, painting: Map) -> Pixels:
        """Return a painting of this frame with the frame's own pixels and chroma where they are kept.

        Args:
            painting: Shape (H, W, 3), in 8-bit levels.
        """
        if not self.is_painted:
            return self.ground
        ground = self.scene.ground
        regions = [replace(region, matte=region.matte.cpu()) for region in self.parts.values()]
        restored = Palette(ground, regions, self.scene.recipe.treatment).restore(to_tensor(painting))
        return np.where(self.cover[..., None] > 0, to_pixels(restored), self.ground)

    def finish(self, painting: Pixels) -> Pixels:
        """Return the frame of the film, shape (H, W, 3) or with alpha (H, W, 4), from its painting."""
        scene = self.scene
        if scene.segmentation is not None and scene.segmentation.is_empty and scene.recipe.backdrop.is_transparent:
            return np.zeros((*scene.saved_size, 4), np.uint8)
        pastiche = to_tensor(painting)
        # Exactly the frame's own values where they are kept, rather than values that were rounded to 8 bits.
        kept = torch.from_numpy(self.cover)[None, None] <= 0
        return to_pixels(compose(scene, torch.where(kept, scene.ground, pastiche)).composite)

    def matte_picture(self) -> Pixels:
        """Return the subject's matte as a picture, white on black, shape (H, W, 3)."""
        subject = np.zeros(self.scene.size, np.float32) if self.subject is None else self.subject
        return np.repeat(np.rint(subject * 255).astype(np.uint8)[..., None], 3, axis=2)


@dataclass(eq=False)
class ShotColors:
    """Styles in the colours of a shot's first key, so that they do not change from key to key.

    Args:
        first: The first key.
    """

    first: Frame
    _known: dict[str, list[Sample]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        scene, parts = self.first.scene, self.first.parts
        recolored = Palette(scene.ground.to(scene.device), list(parts.values()), scene.recipe.treatment).regions
        self._known = {
            name: [_recolored(each) for each in region.samples] for name, region in zip(parts, recolored, strict=True)
        }

    def apply(self, parts: Mapping[str, Region]) -> tuple[Region, ...]:
        """Return regions, by field, with these styles; one that the first key lacks keeps its own."""
        return tuple(
            replace(region, styles=self._known[name]) if name in self._known else region
            for name, region in parts.items()
        )


@dataclass(eq=False)
class FramePainter:
    """Paints keys and finishes frames.

    Args:
        sources: The pictures of the recipe; the photo is not used.
        recipe: The settings.
        size: Size of the frames.
        device: Device to paint on.
        encoder: The network; None where nothing is painted.
        targets: Cache of the styles' Gram matrices.
    """

    sources: Sources
    recipe: Recipe
    size: Size
    device: str = "cpu"
    encoder: VGG | None = None
    targets: StyleTargets | None = None

    def __post_init__(self) -> None:
        usual = {name: each.default for name, each in SegmentSettings.model_fields.items()}
        of_frames = {"size": self.size.long_side, "full_size": False, "time": None, "mask": None, "scribble": None}
        self._recipe = self.recipe.replace(**(usual | of_frames))
        self._sources = replace(self.sources, mask=None, scribble=None)

    @property
    def paints(self) -> bool:
        """True if anything is painted."""
        return self.recipe.paints_subject or self.recipe.paints_background

    def frame(self, rgb: Pixels, matte: Pixels | None = None, colors: ShotColors | None = None) -> Frame:
        """Prepare a frame.

        Args:
            rgb: Shape (H, W, 3).
            matte: Of its subject, shape (H, W), 255 is subject; None where nothing needs it.
            colors: Colours of its shot.
        """
        picture = Picture(to_tensor(rgb), None, "frame", None, "")
        subject = None if matte is None else Segmentation(to_tensor(matte[..., None]), method="tracking")
        scene = Scene(
            replace(self._sources, photo=picture, init=None if colors is not None else self._sources.init),
            self._recipe,
            device=self.device,
            subject=subject,
        )
        return Frame(scene, colors)

    def paint_first(self, frame: Frame) -> Pixels:
        """Paint the first key of a shot as a still is painted."""
        if not frame.is_painted:
            return frame.ground
        init = frame.scene.sources.init
        start = None if init is None else imaging.resize(init.rgb, frame.scene.size).to(self.device)
        return to_pixels(self._run(frame, self._recipe, frame.regions, start=start).picture())

    def paint_next(self, frame: Frame, before: Map, seen: Map, known: Map) -> Pixels:
        """Paint a later key, which starts as the key before it and stays near to it.

        Args:
            frame: The key.
            before: The painting of the key before, as it is seen from this one, shape (H, W, 3), in 8-bit levels; what
                it does not see is filled.
            seen: Trust in each of its pixels, in [0, 1], shape (H, W).
            known: Trust in what is filled, likewise; the rest starts in the styles' palette.
        """
        if not frame.is_painted:
            return frame.ground
        weight = torch.from_numpy(np.ascontiguousarray(seen))[None, None].to(self.device)
        warped, ground = to_tensor(before).to(self.device), frame.scene.ground.to(self.device)
        anchor = Anchor(warped, weight, ANCHOR_STRENGTH)
        steps = [max(1, round(self._recipe.steps * share)) for share in (COARSE_STEPS, FINE_STEPS)]
        recipe = self._recipe.replace(style_weight=self._recipe.style_weight * STYLE_GAIN)
        share = torch.from_numpy(known)[None, None].to(self.device)
        new = share * warped + (1.0 - share) * frame.palette()
        changed = [region for region in frame.regions if _unseen_share(region, weight) >= LEAST_UNSEEN]
        if changed and frame.can_be_halved:
            start = weight * warped + (1.0 - weight) * new
            coarse = self._run(frame, recipe.replace(schedule=(steps[0], 0)), changed, start=start, anchors=(anchor,))
            # Enlarging loses detail. Where the key before is seen its own is at hand, elsewhere that of the frame.
            full = Size(*ground.shape[-2:])
            detail = ground - imaging.resize(imaging.resize(ground, coarse.size), full)
            cover = torch.stack([region.matte for region in changed]).sum(dim=0)
            new = cover * (coarse.picture() + detail).clamp(0.0, 1.0) + (1.0 - cover) * new
        start = weight * warped + (1.0 - weight) * new
        last = self._run(frame, recipe.replace(schedule=(steps[1],)), frame.regions, start=start, anchors=(anchor,))
        return to_pixels(last.picture())

    def _run(
        self,
        frame: Frame,
        recipe: Recipe,
        regions: Sequence[Region],
        *,
        start: Tensor | None,
        anchors: Sequence[Anchor] = (),
    ) -> Step:
        """Return the last step of a painting.

        Args:
            frame: The frame; it has something to paint.
            recipe: Steps and weights.
            regions: Its regions that are painted.
            start: Picture to start from; None starts as the recipe says.
            anchors: Pictures to stay near to.
        """
        if self.encoder is None:
            raise EmptyRegionError("There is nothing to paint with: no encoder was given.")
        steps = iter_paint(
            frame.scene.ground.to(self.device),
            regions,
            self.encoder,
            recipe,
            start=start,
            anchors=anchors,
            targets=self.targets,
            emphasis=frame.scene.emphasis,
        )
        (last,) = deque(steps, maxlen=1)
        return last


def to_tensor(pixels: Pixels | Map) -> Tensor:
    """Return a picture of 8-bit levels, shape (H, W, C), as a tensor in [0, 1], shape (1, C, H, W)."""
    planes = np.ascontiguousarray(np.moveaxis(pixels, 2, 0), np.float32) / np.float32(255)
    return torch.from_numpy(planes)[None]


def to_pixels(picture: Tensor) -> Pixels:
    """Return a picture in [0, 1], shape (1, C, H, W), rounded to 8 bits, shape (H, W, C)."""
    levels = (picture[0].clamp(0.0, 1.0) * 255.0).round().to(torch.uint8).cpu()
    return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())


def _unseen_share(region: Region, seen: Tensor) -> float:
    """Return the share of a region that is not seen, by the trust in each pixel, shape (1, 1, H, W)."""
    return float((region.matte * (1.0 - seen)).sum() / region.matte.sum())


def _recolored(sample: Sample) -> Sample:
    """Return a style that is in the colours of its shot, with a key by which its Gram matrices are kept."""
    digest = hashlib.sha256()
    for part in (sample.picture, sample.mask):
        digest.update(b"" if part is None else part.cpu().contiguous().numpy().data)
    key = sample.key or digest.hexdigest()
    return sample._replace(key=key, is_recolored=True)
