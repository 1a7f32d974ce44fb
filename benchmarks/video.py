"""Steadiness, quality and cost of painted films: python benchmarks/video.py CLIP... [--size N] [--frames N].

All measures of a clip stand in one table, since each alone can be flattered: blur and missing texture lower the error.
Steadiness is given beside that of the input and of frames painted alone. ``drawn`` and ``drawn-tripod`` are scenes
drawn by code, whose true flow is known. Times are processor seconds, which a busy machine disturbs less than the clock.

Examples:
    python benchmarks/video.py walk.mp4 --size 512 --frames 48 --alone 16
    python benchmarks/video.py walk.mp4 --subject-style candy.jpg --background-style starry.jpg --sheet sheets/
    python benchmarks/video.py walk.mp4 drawn --skip memory resume
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import video_metrics as metrics
from PIL import Image

from pochoir import styles
from pochoir._types import Size
from pochoir.encoders import load_encoder
from pochoir.recipe import Recipe
from pochoir.sequence.events import Advanced, Shown
from pochoir.sequence.painter import FramePainter
from pochoir.sequence.production import Production
from pochoir.sequence.settings import VideoSettings
from pochoir.sequence.store import FolderStore, MemoryStore
from pochoir.sources import load_sources, load_style
from pochoir.transfer import StyleTargets
from pochoir.video.read import VideoFrame, open_video

PARTS = ("mattes", "drift", "memory", "resume")
MEMORY_SIZE_PX = 128
TARGETS = {
    "short / alone": 0.2,
    "short / input": 2.0,
    "short / input, linear": 2.0,
    "long / alone": 0.3,
    "gram / alone": 1.1,
    "laplacian / alone": -0.85,
    "processor s/frame": 2.5,
    "still / input": 1.0,
    "drift Lab": 2.0,
    "drift gram": 1.05,
    "worst matte IoU": -0.95,
    "memory 120 s / 10 s": 1.1,
}
"""Largest values; those below 0 are smallest ones."""


@dataclass(frozen=True)
class Clip:
    """Frames of a clip at the size to paint at, and the flow between them if it is known."""

    name: str
    frames: list[np.ndarray] = field(repr=False)
    true_flow: Callable[[int, int], np.ndarray] | None = field(default=None, repr=False)
    is_tripod: bool = False


@dataclass(frozen=True)
class Info:
    size: Size
    frames: int
    fps: Fraction = Fraction(25)
    duration_s: float = 0.0


class Loop:
    """A video that shows some frames for as long as wanted, to and fro, so that nothing jumps."""

    path, notes = "loop", ()

    def __init__(self, frames: list[np.ndarray], count: int) -> None:
        self.rgb = [*frames, *frames[-2:0:-1]]
        self.info = Info(Size(*frames[0].shape[:2]), count, duration_s=count / 25)

    def frames(
        self, start_s: float = 0.0, end_s: float | None = None, size: Size | None = None
    ) -> Iterator[VideoFrame]:
        return (self.frame(at, size) for at in range(self.info.frames))

    def frame(self, index: int, size: Size | None = None) -> VideoFrame:
        rgb = self.rgb[index % len(self.rgb)]
        if size is not None and size != self.info.size:
            rgb = cv2.resize(rgb, (size.width, size.height), interpolation=cv2.INTER_AREA)
        return VideoFrame(index, Fraction(index, 25), Fraction(1, 25), rgb)


class Drawn:
    """A blot before a ground, both textured: the camera pans and zooms, or stands still; with noise of a sensor."""

    def __init__(self, size_px: int, count: int, *, is_tripod: bool) -> None:
        self.height, self.width = round(size_px * 0.5625 / 2) * 2, size_px
        unit, rng = size_px / 256, np.random.default_rng(0)
        ground = np.asarray(styles.draw("cut-paper", size=Size(self.height * 2, self.width * 2)))
        blot = np.asarray(styles.draw("marbling", size=Size(self.height, self.height)))
        y, x = np.mgrid[: self.height, : self.height] / self.height - 0.5
        radius = 0.36 + 0.06 * np.sin(5 * np.arctan2(y, x))
        matte = np.clip((radius - np.hypot(x, y)) * self.height / 2 + 0.5, 0, 1).astype(np.float32)
        self.places, self.mattes, frames = [], [], []
        for at in range(count):
            back = (1.0, np.array([30.0, 20.0]) * unit)
            if not is_tripod:
                back = (1 - 0.0025 * at, np.array([10 + 1.7 * at, 18 + 0.35 * at]) * unit)
            front = (1 - 0.004 * at, np.array([-25 - 2.3 * at, -6 - 2.4 * np.sin(at / 4)]) * unit)
            self.places.append((back, front))
            seen = [self._see(each, *place) for each, place in ((ground, back), (blot, front), (matte, front))]
            mixed = seen[0] * (1 - seen[2][..., None]) + seen[1] * seen[2][..., None]
            frames.append(np.clip(np.rint(mixed + rng.normal(0, 2, mixed.shape)), 0, 255).astype(np.uint8))
            self.mattes.append(seen[2])
        self.frames = frames

    def _grid(self) -> np.ndarray:
        x, y = np.meshgrid(np.arange(self.width), np.arange(self.height))
        return np.stack([x, y], -1).astype(np.float32)

    def _see(self, picture: np.ndarray, zoom: float, offset: np.ndarray) -> np.ndarray:
        places = (self._grid() * zoom + offset).astype(np.float32)
        border = cv2.BORDER_CONSTANT if picture.ndim == 2 else cv2.BORDER_REFLECT
        return cv2.remap(picture.astype(np.float32), places, None, cv2.INTER_CUBIC, borderMode=border).clip(0, 255)

    def flow(self, i: int, j: int) -> np.ndarray:
        grid = self._grid()
        ways = [
            ((grid * one[0] + one[1]) - other[1]) / other[0] - grid
            for one, other in zip(self.places[i], self.places[j], strict=True)
        ]
        return np.where(self.mattes[i][..., None] > 0.5, ways[1], ways[0]).astype(np.float32)


def read(name: str, args: argparse.Namespace) -> Clip:
    if name in ("drawn", "drawn-tripod"):
        scene = Drawn(args.size, args.frames, is_tripod=name == "drawn-tripod")
        return Clip(name, scene.frames, scene.flow, name == "drawn-tripod")
    with open_video(name) as video:
        size = video.info.size.fit_long_side(args.size)
        frames = []
        for frame in video.frames(args.start, None, size):
            frames.append(frame.rgb)
            if len(frames) == args.frames:
                break
    return Clip(Path(name).name, frames, is_tripod=args.tripod)


def production(clip: Clip, args: argparse.Namespace, encoder: Any, store: Any = None, **changes: Any) -> Production:
    recipe = args.recipe
    sources = load_sources(clip.frames[0], recipe, {})
    settings = VideoSettings(keys=args.keys, **changes)
    video = Loop(clip.frames, len(clip.frames))
    return Production(
        video,
        sources,
        recipe,
        settings,
        store or MemoryStore(),
        encoder=encoder,
        threads=1,  # type: ignore[arg-type]
    )


def processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def paint_film(clip: Clip, args: argparse.Namespace, encoder: Any) -> tuple[list[np.ndarray], float, float, int]:
    """Return the film, the processor seconds of its first key, those of all after it, and the number of keys."""
    began = processor_s()
    film, first_s, keys = [], 0.0, 0
    for event in production(clip, args, encoder).events():
        if isinstance(event, Shown):
            film.append(event.pixels)
        elif isinstance(event, Advanced) and event.stage == "keys":
            keys += 1
            first_s = first_s or processor_s() - began
    return film, first_s, processor_s() - began, keys


def paint_alone(clip: Clip, args: argparse.Namespace, encoder: Any, mattes: list[np.ndarray] | None) -> Iterator[Any]:
    """Yield frames painted as stills, each with its processor seconds."""
    sources = load_sources(clip.frames[0], args.recipe, {})
    size = Size(*clip.frames[0].shape[:2])
    painter = FramePainter(sources, args.recipe, size, encoder=encoder, targets=StyleTargets())
    for at in range(min(args.alone, len(clip.frames))):
        began = processor_s()
        frame = painter.frame(clip.frames[at], None if mattes is None else mattes[at])
        yield frame.finish(painter.paint_first(frame)), processor_s() - began


def measure(clip: Clip, args: argparse.Namespace) -> Iterator[tuple[str, float]]:
    """Yield the measures of a clip by name."""
    encoder = load_encoder("vgg19", pooling="max", device="cpu", may_round=True)
    flow, judge = metrics.InputFlow(clip.frames, clip.true_flow), metrics.Judge()
    looks = [_to_array(load_style(each.source)) for each in (*args.recipe.style, *args.recipe.subject_style)]
    looks += [_to_array(load_style(each.source)) for each in args.recipe.background_style]
    mattes = None
    if args.recipe.needs_matte:
        mattes = [frame[..., 0] for frame in matte_film(clip, args)]
    film, _, film_s, keys = paint_film(clip, args, encoder)
    alone, alone_s = [], []
    for picture, took_s in paint_alone(clip, args, encoder, mattes):
        alone.append(picture)
        alone_s.append(took_s)
    part = slice(0, len(alone))
    if args.sheet:
        save_sheets(clip, film, alone, args.sheet)
    short, long = (("short", 1), ("long", args.long))
    for name, gap in (short, ("middle", 5), long):
        ours, input_, apart = (metrics.warp_error(each, flow, gap) for each in (film[part], clip.frames[part], alone))
        yield f"{name} error", ours
        yield f"{name} / input", ours / input_
        yield f"{name} / alone", ours / apart
        yield f"{name} error, whole film", metrics.warp_error(film, flow, gap)
        yield f"{name} / input, whole film", ratio(film, clip.frames, flow, gap)
    linear = cv2.INTER_LINEAR
    yield "short / input, linear", ratio(film[part], clip.frames[part], flow, 1, linear)
    yield "short / input, linear, whole film", ratio(film, clip.frames, flow, 1, linear)
    own = metrics.warp_error(clip.frames, flow, 1), metrics.warp_error(clip.frames, flow, 1, linear)
    yield "moved along the flow / input", metrics.moved_error(film, flow) / own[0]
    yield "the same, linear", metrics.moved_error(film, flow, linear) / own[1]
    seen = range(1, len(alone), max(1, len(alone) // 8))
    pairs = [(film[at], alone[at], None if mattes is None or len(looks) < 2 else mattes[at]) for at in seen]
    grams = [[judge.style(each, looks, matte) for each in (ours, apart)] for ours, apart, matte in pairs]
    yield "gram", float(np.mean([ours for ours, _ in grams]))
    yield "gram / alone", float(np.mean([ours for ours, _ in grams]) / np.mean([apart for _, apart in grams]))
    sharp = [[metrics.laplacian(each) for each in (ours, apart)] for ours, apart, _ in pairs]
    yield "laplacian", float(np.mean([ours for ours, _ in sharp]))
    yield "laplacian / alone", float(np.mean([ours for ours, _ in sharp]) / np.mean([apart for _, apart in sharp]))
    contents = [[judge.content(each, clip.frames[at]) for each in (film[at], alone[at])] for at in seen]
    yield "content / alone", float(np.mean([ours for ours, _ in contents]) / np.mean([apart for _, apart in contents]))
    yield "keys", float(keys)
    yield "frames a key", len(film) / keys
    yield "processor s/frame", (film_s - alone_s[0]) / max(1, len(film) - 1)
    yield "alone s/frame", float(np.mean(alone_s))
    if clip.is_tripod:
        yield from measure_stillness(clip, film)
    if "mattes" not in args.skip and mattes is not None:
        yield "worst matte IoU", metrics.matte_steadiness(mattes, flow)
    if "drift" not in args.skip:
        yield from measure_drift(clip, args, encoder, film, judge, looks, mattes)
    if "resume" not in args.skip:
        yield "same bytes resumed", float(resumes_alike(clip, args, encoder, film))


def ratio(
    film: list[np.ndarray],
    frames: list[np.ndarray],
    flow: metrics.InputFlow,
    gap: int,
    interpolation: int = cv2.INTER_LANCZOS4,
) -> float:
    return metrics.warp_error(film, flow, gap, interpolation) / metrics.warp_error(frames, flow, gap, interpolation)


def matte_film(clip: Clip, args: argparse.Namespace) -> list[np.ndarray]:
    bare = argparse.Namespace(**vars(args))
    bare.recipe = Recipe(segmenter=args.recipe.segmenter)
    return list(production(clip, bare, None, form="matte").frames())


def measure_stillness(clip: Clip, film: list[np.ndarray]) -> Iterator[tuple[str, float]]:
    """Change over time where the input shows nothing but noise: the mean squared difference of neighbouring frames."""
    spread = np.stack(clip.frames).astype(np.float32).std(axis=0).mean(-1)
    still = spread < max(2 * float(np.percentile(spread, 20)), 1.0)

    def noise(frames: list[np.ndarray]) -> float:
        changes = [
            (np.square(one.astype(np.float32) - other)).mean(-1)[still].mean() for one, other in pairwise(frames)
        ]
        return float(np.mean(changes))

    yield "still share of the frame", float(still.mean())
    yield "still / input", noise(film) / max(noise(clip.frames), 1e-9)


def measure_drift(
    clip: Clip,
    args: argparse.Namespace,
    encoder: Any,
    film: list[np.ndarray],
    judge: metrics.Judge,
    looks: Any,
    mattes: Any,
) -> Iterator[tuple[str, float]]:
    """Compare the film's last frame with the same frame painted alone."""
    at = len(film) - 1
    last = replace(clip, frames=clip.frames[at:])
    ((alone, _),) = paint_alone(
        last, argparse.Namespace(**(vars(args) | {"alone": 1})), encoder, mattes and mattes[at:]
    )
    yield "drift Lab", float(np.linalg.norm(metrics.mean_lab(film[at]) - metrics.mean_lab(alone)))
    matte = None if mattes is None or len(looks) < 2 else mattes[at]
    yield "drift gram", judge.style(film[at], looks, matte) / judge.style(alone, looks, matte)
    yield "drift laplacian", metrics.laplacian(film[at]) / metrics.laplacian(alone)


def resumes_alike(clip: Clip, args: argparse.Namespace, encoder: Any, film: list[np.ndarray]) -> bool:
    """Stop a run after two keys, and tell whether a second one comes to the same frames."""
    with tempfile.TemporaryDirectory() as folder:
        place, keys = Path(folder) / "parts", 0
        events = production(clip, args, encoder, FolderStore(place, "key")).events()
        for event in events:
            keys += isinstance(event, Advanced) and event.stage == "keys"
            if keys == 2:
                break
        events.close()
        again = list(production(clip, args, encoder, FolderStore(place, "key")).frames())
    return len(again) == len(film) and all(map(np.array_equal, again, film))


def peak_bytes(frames: list[np.ndarray], count: int, recipe: Recipe) -> int:
    """Return the peak of memory of a process that paints so many frames."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_paint_long, (frames, count, recipe))


def _paint_long(frames: list[np.ndarray], count: int, recipe: Recipe) -> int:
    torch.set_num_threads(1)
    sources = load_sources(frames[0], recipe, {})
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder) / "parts", "key")
        video: Any = Loop(frames, count)
        for _ in Production(video, sources, recipe, VideoSettings(keys=12), store, threads=1).frames():
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def measure_memory(clip: Clip, args: argparse.Namespace) -> Iterator[tuple[str, float]]:
    size = Size(*clip.frames[0].shape[:2]).fit_long_side(MEMORY_SIZE_PX)
    frames = [cv2.resize(each, (size.width, size.height), interpolation=cv2.INTER_AREA) for each in clip.frames[:40]]
    recipe = args.recipe.replace(size=None, steps=6)
    short, long = (peak_bytes(frames, seconds * 25, recipe) for seconds in (10, args.memory_seconds))
    yield "memory 10 s, MB", short / 2**20
    yield f"memory {args.memory_seconds} s / 10 s", long / short


def save_sheets(clip: Clip, film: list[np.ndarray], alone: list[np.ndarray], folder: Path) -> None:
    """Save 16 neighbouring frames, the same painted alone, and the whole film as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = Path(clip.name).stem
    for name, frames in (("film", film), ("alone", alone)):
        rows = [np.concatenate(frames[at : at + 4], axis=1) for at in range(0, min(16, len(frames) // 4 * 4), 4)]
        if rows:
            Image.fromarray(np.concatenate(rows)).save(folder / f"{stem}-{name}.png")
    np.save(folder / f"{stem}-film.npy", np.stack(film))
    np.save(folder / f"{stem}-alone.npy", np.stack(alone))


def _to_array(picture: Any) -> np.ndarray:
    return (picture.rgb[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def show(name: str, value: float) -> str:
    target = TARGETS.get(name)
    if target is None:
        return f"  {name:34s} {value:9.3f}"
    reached = value >= -target if target < 0 else value <= target
    bound = f"at least {-target:g}" if target < 0 else f"at most {target:g}"
    return f"  {name:34s} {value:9.3f}  {bound}{'' if reached else ': MISSED'}"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", help="videos, or drawn, drawn-tripod")
    parser.add_argument("--size", type=int, default=512, help="long side to paint at")
    parser.add_argument("--frames", type=int, default=48, help="frames of each clip")
    parser.add_argument("--start", type=float, default=0.0, help="second at which a clip begins")
    parser.add_argument("--alone", type=int, default=14, help="frames painted alone, to compare with")
    parser.add_argument("--long", type=int, default=10, help="frames between two that long errors compare")
    parser.add_argument("--keys", type=int, default=None, help="distance of keys; by default they place themselves")
    parser.add_argument("--style", default="woodblock-waves")
    parser.add_argument("--subject-style")
    parser.add_argument("--background-style")
    parser.add_argument("--segmenter", default="u2net")
    parser.add_argument("--tripod", action="store_true", help="the camera of the clips stands still")
    parser.add_argument("--skip", nargs="*", default=[], choices=PARTS)
    parser.add_argument("--memory-seconds", type=int, default=120)
    parser.add_argument("--sheet", type=Path, help="folder for sheets of frames")
    args = parser.parse_args()
    own = {
        f"{region}_style": value
        for region in ("subject", "background")
        if (value := getattr(args, f"{region}_style")) is not None
    }
    args.recipe = Recipe(keep="none", segmenter=args.segmenter, **(own or {"style": args.style}))
    return args


def main() -> None:
    args = parse()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    for name in args.clips:
        clip, began = read(name, args), time.monotonic()
        height, width = clip.frames[0].shape[:2]
        print(f"{clip.name}: {len(clip.frames)} frames of {width}x{height}, {args.recipe}", flush=True)
        for key, value in measure(clip, args):
            print(show(key, value), flush=True)
        if "memory" not in args.skip:
            for key, value in measure_memory(clip, args):
                print(show(key, value), flush=True)
        print(f"  measured in {time.monotonic() - began:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
