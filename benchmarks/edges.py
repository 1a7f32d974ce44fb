"""How clean is the silhouette between two painted regions, or a painted and a kept one?

Photos are painted with a given matte in several ways (``METHODS``), and the finished 8-bit picture is measured within
8 pixels of the silhouette, on either side, with the other side painted over by the nearest pixels of its own (so that
the edge itself, which is wanted, counts for nothing):

- ``band``: style distance (relative distance of Gram matrices, the mean over relu1_1, relu2_1, relu3_1) of the band;
- ``halo``: how much the colours at 2 to 8 pixels differ from those 12 pixels further in, as a multiple of how much
  those differ from the ones another 12 pixels further in; colours are smoothed by 2 pixels first;
- ``seam``: gradients across the silhouette at 2 to 8 pixels, as a multiple of those at 12 to 24;
- ``leak``: by how much more the band's colours pass for the other side's than those at 12 to 24 pixels do, told by
  normal distributions of the two sides' colours there; 0 for as much, 1 for all.

Besides: ``style``, the distance of the whole sides, layers weighted as in the objective, the other side painted over
likewise (a clean edge would else count as far from the style); ``content`` of the objective; and ``time``, processor
time as a multiple of that of painting the whole photo in one style. The photo itself is measured, too.

    python benchmarks/edges.py --photo parrot.jpg parrot_matte.png --styles candy.jpg starry_night.jpg --size 256
    python benchmarks/edges.py --photo a.jpg a.png --photo b.jpg b.png --paint subject --pictures out --json edges.json
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from pochoir import compositing, imaging
from pochoir._types import Size
from pochoir.encoders import VGG, load_encoder
from pochoir.recipe import Recipe
from pochoir.sources import load_style
from pochoir.transfer import Region, iter_paint
from pochoir.transfer.canvas import CONTENT_GAIN_PER_HALVING
from pochoir.transfer.criterion import Criterion, StyledRegion, Terms, weigh_layers
from pochoir.transfer.functional import gram, relative_distance
from pochoir.transfer.guidance import build_guides
from pochoir.transfer.optimize import OPTIMIZERS
from pochoir.transfer.pyramid import Level, Sample
from pochoir.transfer.schedule import plan_scales
from pochoir.transfer.starts import STARTS
from pochoir.transfer.targets import style_grams

BAND_PX, BORDER_PX, INNER_PX, OUTER_PX = 8, 2, 12, 24
BAND_LAYERS = ("relu1_1", "relu2_1", "relu3_1")
SIDES = ("subject", "background")


@dataclass(frozen=True)
class Method:
    """A way of painting with attention to the silhouette, for ``paint``.

    Attributes:
        split: From which scale on, counted from the finest as 1, each region has a picture of its own, of which the
            encoder is shown the composite; 0 for never.
        apart: Whether regions are enlarged apart from one scale to the next, and start apart.
        content: Factor on the content weight near the silhouette.
        loose_px: By how much the regions reach over the silhouette in the style loss.
        hard_deep: Whether guides of the deep layers are 0 or 1.
        gap_deep: Whether guides of the deep layers are 0 where they see both sides.
    """

    split: int = 0
    apart: bool = False
    content: float = 1.0
    loose_px: int = 0
    hard_deep: bool = False
    gap_deep: bool = False


@dataclass(frozen=True, eq=False)
class Scene:
    """What is to be painted: photo, matte, and for each painted side its style."""

    photo: Tensor
    matte: Tensor
    styles: dict[str, Tensor]

    def weight(self, side: str) -> Tensor:
        return self.matte if side == "subject" else 1.0 - self.matte

    def regions(self) -> list[Region]:
        return [Region(self.weight(side), [(style, 1.0)]) for side, style in self.styles.items()]

    def compose(self, painted: Tensor) -> Tensor:
        if len(self.styles) == 2:
            return painted
        pair = (painted, self.photo) if "subject" in self.styles else (self.photo, painted)
        return compositing.composite(*pair, self.matte)


def paint(scene: Scene, encoder: VGG, recipe: Recipe, method: Method) -> Tensor:
    """Paint as ``transfer.iter_paint`` does, but for the method; without window, tiles and stopping rule."""
    size = Size(*scene.photo.shape[-2:])
    finest = Level(photo=scene.photo, regions=scene.regions(), style_scale=1.0, frame_px=float(size.pixels))
    scales = plan_scales(size, recipe.steps)
    before: tuple[Level, Tensor] | None = None
    for left, scale in zip(range(len(scales), 0, -1), scales, strict=True):
        level = finest.at(scale.size)
        layers = start(level, method) if before is None else carry(*before, level, method)
        weights = torch.cat([region.matte for region in level.regions])
        kept = level.photo * (1.0 - level.cover).clamp_min(0.0)
        if left > method.split:
            layers = merge(layers, weights, kept) if len(layers) > 1 else layers
        elif len(layers) == 1:
            layers = layers.expand(len(weights), -1, -1, -1)
        free = (level.cover if len(layers) == 1 else weights).gt(0).float()
        gain = CONTENT_GAIN_PER_HALVING ** (left - 1)
        if len(layers) == 1:
            layers = torch.where(free > 0, layers, level.photo)
        criterion = build_criterion(level, encoder, recipe, method, gain=gain)
        objective: Any = partial(compare_merged, criterion, weights, kept) if len(layers) > 1 else criterion
        iterates = OPTIMIZERS[recipe.optimizer](objective, layers.contiguous(), free)
        best = min((next(iterates) for _ in range(scale.steps + 1)), key=lambda iterate: iterate.losses.total)
        iterates.close()
        before = (level, best.picture)
    picture = best.picture.clamp(0.0, 1.0)
    return scene.compose(picture if len(picture) == 1 else merge(picture, weights, kept).clamp(0.0, 1.0))


def compare_merged(criterion: Criterion, weights: Tensor, kept: Tensor, layers: Tensor) -> Terms:
    return criterion(merge(layers, weights, kept))


def merge(layers: Tensor, weights: Tensor, kept: Tensor) -> Tensor:
    return (layers * weights).sum(dim=0, keepdim=True) + kept


def layer_of(picture: Tensor, matte: Tensor) -> Tensor:
    return compositing.cutout(picture.clamp(0.0, 1.0), matte)[:, :3]


def start(level: Level, method: Method) -> Tensor:
    if not method.apart:
        return STARTS["content"](level, 0)
    layers = []
    for region in level.regions:
        whole = replace(region, matte=torch.ones_like(region.matte))
        layers.append(STARTS["content"](replace(level, photo=layer_of(level.photo, region.matte), regions=[whole]), 0))
    return torch.cat(layers)


def carry(coarse: Level, pastiche: Tensor, level: Level, method: Method) -> Tensor:
    size = Size(*level.photo.shape[-2:])
    if not method.apart and len(pastiche) == 1:
        detail = level.photo - imaging.resize(coarse.photo, size)
        return (imaging.resize(pastiche.clamp(0.0, 1.0), size) + detail).clamp(0.0, 1.0)
    layers = []
    for index, (low, high) in enumerate(zip(coarse.regions, level.regions, strict=True)):
        own = pastiche[index : index + 1].clamp(0.0, 1.0) if len(pastiche) > 1 else layer_of(pastiche, low.matte)
        detail = layer_of(level.photo, high.matte) - imaging.resize(layer_of(coarse.photo, low.matte), size)
        layers.append((imaging.resize(own, size) + detail).clamp(0.0, 1.0))
    return torch.cat(layers)


def build_criterion(level: Level, encoder: VGG, recipe: Recipe, method: Method, *, gain: float) -> Criterion:
    regions = [
        StyledRegion(
            region.matte,
            style_grams([level.scale_style(style) for style in region.samples], encoder, recipe.style_layers),
        )
        for region in level.regions
    ]
    criterion = Criterion(level.photo, regions, encoder, recipe, content_gain=gain, frame_px=level.frame_px)
    near = dilate(level.regions[0].matte, 4) * dilate(1.0 - level.regions[0].matte, 4)
    for layer, guide in criterion.content_guides.items():
        factor = 1.0 + (method.content - 1.0) * near
        guide *= build_guides(factor, encoder, (layer,))[layer]
    for guides, region in zip(criterion.guides, level.regions, strict=True):
        loose = dilate(region.matte, method.loose_px)
        for layer, guide in list(guides.items()):
            if method.loose_px:
                guides[layer] = build_guides(loose, encoder, (layer,))[layer]
            elif encoder.stride(layer) >= 8 and method.hard_deep and bool((guide > 0.5).any()):
                guides[layer] = (guide > 0.5).float()
            elif encoder.stride(layer) >= 8 and method.gap_deep and bool((guide > 0.99).any()):
                guides[layer] = (guide > 0.99).float()
    criterion.guided_grams = type(criterion.guided_grams)(criterion.guides)
    return criterion


def dilate(matte: Tensor, by_px: int) -> Tensor:
    return torch.nn.functional.max_pool2d(matte, 2 * by_px + 1, stride=1, padding=by_px)


def paint_apart(scene: Scene, encoder: VGG, recipe: Recipe, *, extended: bool) -> Tensor:
    """Each region in a picture of its own; extended: on its own colours carried on, a little beyond its silhouette."""
    layers = {"subject": scene.photo, "background": scene.photo}
    for side, style in scene.styles.items():
        matte = scene.weight(side)
        ground = layer_of(scene.photo, matte) if extended else scene.photo
        region = Region(dilate(matte, BAND_PX) if extended else matte, [(style, 1.0)])
        *_, last = iter_paint(ground, [region], encoder, recipe)
        layers[side] = last.picture()
    if extended and len(scene.styles) == 2:
        return compositing.alpha_over(layers["subject"], layers["background"], scene.matte)
    return compositing.composite(layers["subject"], layers["background"], scene.matte)


def paint_now(scene: Scene, encoder: VGG, recipe: Recipe) -> Tensor:
    *_, last = iter_paint(scene.photo, scene.regions(), encoder, recipe)
    return scene.compose(last.picture())


METHODS: dict[str, Callable[[Scene, VGG, Recipe], Tensor]] = {
    "joint": partial(paint, method=Method()),
    "composite shown": partial(paint, method=Method(split=99)),
    "content x4 in the band": partial(paint, method=Method(content=4.0)),
    "loose guides": partial(paint, method=Method(loose_px=4)),
    "hard deep guides": partial(paint, method=Method(hard_deep=True)),
    "no deep guides in the band": partial(paint, method=Method(gap_deep=True)),
    "enlarged apart": partial(paint, method=Method(apart=True)),
    "apart, composite shown last": partial(paint, method=Method(apart=True, split=1)),
    "apart, composite shown": partial(paint, method=Method(apart=True, split=99)),
    "separate": partial(paint_apart, extended=False),
    "separate, extended": partial(paint_apart, extended=True),
    "default": paint_now,
}


def measure(picture: Tensor, scene: Scene, targets: dict[str, Any], encoder: VGG) -> dict[str, float]:
    """The band scores, the mean of the painted sides."""
    matte = scene.matte[0, 0].numpy()
    colors = picture[0].permute(1, 2, 0).numpy()
    rows = [
        measure_side(colors, matte if side == "subject" else 1.0 - matte, targets[side], encoder)
        for side in scene.styles
    ]
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def measure_side(colors: Any, own: Any, target: Any, encoder: VGG) -> dict[str, float]:
    inside = own > 0.5
    depth = ndimage.distance_transform_edt(inside) - 0.5
    nearest = ndimage.distance_transform_edt(own < 0.9, return_distances=False, return_indices=True)
    filled = np.ascontiguousarray(colors[nearest[0], nearest[1]])
    near = inside & (depth <= BAND_PX)
    inner = inside & (depth > INNER_PX) & (depth <= OUTER_PX)
    band = near & (depth > BORDER_PX)
    inner = inner if inner.sum() > 100 else inside & (depth > BAND_PX)
    with torch.inference_mode():
        features = encoder(torch.from_numpy(filled).permute(2, 0, 1)[None].float(), tuple(target))
    of_band = style_distances(features, near, target, encoder, BAND_LAYERS)
    of_side = style_distances(features, inside, target, encoder, tuple(target))
    weights = weigh_layers(build_guides(as_map(inside), encoder, tuple(target)), target)
    smooth, across = smoothed(filled, depth)
    at = [sample(smooth, depth, band, by) for by in (0.0, INNER_PX, 2.0 * INNER_PX)]
    seen = [inside_after(depth, band, by) for by in (INNER_PX, 2.0 * INNER_PX)]
    halo = np.linalg.norm(at[0] - at[1], axis=1)[seen[0]].mean() / np.linalg.norm(at[1] - at[2], axis=1)[seen[1]].mean()
    seam = across[band].mean() / across[inner].mean()
    return {
        "band": sum(of_band.values()) / len(of_band),
        "halo": float(halo),
        "seam": float(seam),
        "leak": leak(colors, inside, depth),
        "style": sum(weights[layer] * distance for layer, distance in of_side.items()),
    }


def style_distances(
    features: Mapping[str, Tensor], where: Any, target: Mapping[str, Tensor], encoder: VGG, layers: Sequence[str]
) -> dict[str, float]:
    guides = build_guides(as_map(where), encoder, layers)
    return {x: float(relative_distance(gram(features[x], guide), target[x])) for x, guide in guides.items()}


def as_map(mask: Any) -> Tensor:
    return torch.from_numpy(mask).float()[None, None]


def smoothed(filled: Any, depth: Any) -> tuple[Any, Any]:
    """Colours without grain, and the size of their derivative along the way in."""
    smooth = cv2.GaussianBlur(filled, (0, 0), 2.0)
    normal = ways_in(depth)
    fine = cv2.GaussianBlur(filled, (0, 0), 1.0)
    slopes = np.stack(np.gradient(fine, axis=(0, 1)))  # (2, H, W, 3)
    return smooth, np.linalg.norm((slopes * normal[..., None]).sum(axis=0), axis=-1)


def ways_in(depth: Any) -> Any:
    normal = np.stack(np.gradient(cv2.GaussianBlur(depth.astype(np.float32), (0, 0), 2.0)))
    return normal / np.maximum(np.linalg.norm(normal, axis=0), 1e-6)


def sample(picture: Any, depth: Any, where: Any, by_px: float) -> Any:
    places = np.argwhere(where).T + by_px * ways_in(depth)[:, where]
    return np.stack([ndimage.map_coordinates(picture[..., c], places, order=1, mode="nearest") for c in range(3)], 1)


def inside_after(depth: Any, where: Any, by_px: float) -> Any:
    places = np.argwhere(where).T + by_px * ways_in(depth)[:, where]
    reached = ndimage.map_coordinates(depth, places, order=1, mode="constant", cval=0.0)
    return reached > 0.6 * by_px  # thin parts have no such inside


def leak(colors: Any, inside: Any, depth: Any) -> float:
    beyond = ndimage.distance_transform_edt(~inside) - 0.5
    band = inside & (depth > BORDER_PX) & (depth <= BAND_PX)
    own, other = (inside & (depth > INNER_PX) & (depth <= OUTER_PX)), ((beyond > INNER_PX) & (beyond <= OUTER_PX))
    own = own if own.sum() > 100 else inside & (depth > BAND_PX)
    other = other if other.sum() > 100 else beyond > BAND_PX
    fits = [(colors[x].mean(0), np.cov(colors[x].T) + np.eye(3) * 1e-3) for x in (own, other)]

    def share(where: Any) -> float:
        logs = []
        for mean, covariance in fits:
            off = colors[where] - mean
            square = (off @ np.linalg.inv(covariance) * off).sum(1)
            logs.append(-0.5 * (square + np.linalg.slogdet(covariance)[1]))
        return float(np.mean(1.0 / (1.0 + np.exp(np.clip(logs[0] - logs[1], -50, 50)))))

    return share(band) - share(own)


def main() -> None:
    options = read_options()
    torch.set_num_threads(options.threads)
    recipe = Recipe(size=options.size, steps=options.steps)
    encoder = load_encoder(recipe.encoder)
    rows: list[dict[str, Any]] = []
    for photo, mask in options.photo:
        for pair in options.styles or [("stained-glass", "ink-wash")]:
            rows += compare(photo, mask, pair, options, encoder, recipe)
    print("mean")
    for name in ("photo", *options.methods):
        mine = [row for row in rows if row["method"] == name]
        show(name, {key: float(np.mean([row[key] for row in mine])) for key in mine[0] if key not in LABELS})
    if options.json is not None:
        settings = {"size": options.size, "steps": options.steps, "paint": options.paint, "torch": torch.__version__}
        options.json.write_text(json.dumps({"rows": rows, **settings}, indent=2) + "\n")


LABELS = ("method", "picture", "styles")


def compare(
    photo: str, mask: str, pair: Sequence[str], options: argparse.Namespace, encoder: VGG, recipe: Recipe
) -> list[dict[str, Any]]:
    loaded = imaging.load(photo)
    size = loaded.size.fit_long_side(options.size)
    matte = (imaging.resize(imaging.load(mask).rgb[:, :1], size, mode="bilinear") * 255).round() / 255
    styles = {side: load_style(name).rgb for side, name in zip(SIDES, pair, strict=True)}
    painted = {side: style for side, style in styles.items() if options.paint in (side, "both")}
    scene = Scene(imaging.resize(loaded.rgb, size), matte, painted)
    whole = Scene(scene.photo, torch.ones_like(matte), {"subject": next(iter(painted.values()))})
    level = Level(scene.photo, scene.regions(), 1.0, float(size.pixels))
    targets = {
        side: style_grams([level.scale_style(Sample(style, 1.0))], encoder, recipe.style_layers)
        for side, style in painted.items()
    }
    judge = build_criterion(level, encoder, recipe, Method(), gain=1.0)
    alone_s = timed(lambda: paint_now(whole, encoder, recipe))[1]
    label = {"picture": Path(photo).stem, "styles": " ".join(Path(name).stem for name in pair)}
    print(f"{label['picture']}, {label['styles']}: one style takes {alone_s:.1f} s")
    rows = []
    for name in ("photo", *options.methods):
        run = partial(METHODS[name], scene, encoder, recipe) if name in METHODS else lambda: scene.photo
        picture, took_s = timed(run)
        saved = (picture * 255).round() / 255
        losses = judge(saved).numbers()
        row = measure(saved, scene, targets, encoder)
        row |= {"content": losses.content, "time": took_s / alone_s}
        show(name, row)
        rows.append({"method": name, **label, **row})
        if options.pictures is not None:
            options.pictures.mkdir(parents=True, exist_ok=True)
            stem = f"{label['picture']}-{label['styles']}-{options.paint}-{name}".replace(" ", "_").replace(",", "")
            imaging.save(options.pictures / f"{stem}.png", picture)
    return rows


def timed(run: Callable[[], Tensor]) -> tuple[Tensor, float]:
    began = time.process_time()
    return run(), time.process_time() - began


def show(name: str, row: dict[str, float]) -> None:
    print(f"  {name:28}", *(f"{key} {value:7.4f}" for key, value in row.items()), flush=True)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", nargs=2, action="append", required=True, metavar=("PHOTO", "MATTE"))
    parser.add_argument("--styles", nargs=2, action="append", metavar=SIDES, help="default: stained-glass ink-wash")
    parser.add_argument("--paint", choices=(*SIDES, "both"), default="both")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pictures", type=Path, help="folder to save the pictures to")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
