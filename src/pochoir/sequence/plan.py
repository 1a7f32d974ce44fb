"""Time, memory and size of a painted video, measured on its first frame before the work begins."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from torch import Tensor

from pochoir import imaging
from pochoir._devices import resolve_device
from pochoir.errors import EmptyRegionError
from pochoir.painting import Painting
from pochoir.recipe import Recipe
from pochoir.scene import Scene
from pochoir.sequence.painter import COARSE_STEPS, FINE_STEPS
from pochoir.transfer import expected_bytes
from pochoir.transfer.schedule import plan_scales

if TYPE_CHECKING:
    from pochoir.sequence.painted import PaintedVideo

LONG_S: Final = 6 * 3600.0
"""Work that takes longer is not begun unless the user agrees to it."""
FEWEST_STEPS: Final = 8
"""Steps of a first key below which a painting does not hold together."""
MATTE_EVERY: Final = 3
"""Frames from one search for the subject to the next."""
USUAL_KEY_DISTANCE: Final = 5.0
"""Frames from one key to the next where keys place themselves: 3 to 9 on real clips, 12 at most."""
LATER_KEY_STEPS: Final = COARSE_STEPS / 4 + FINE_STEPS
"""Steps at full size of a later key, as a share of the recipe's: those at half the size count a fourth."""
STEP_S_PER_PX: Final = 4.0e-6
"""Seconds a pixel of one step, where it cannot be measured."""
CARRY_S_PER_PX: Final = 2.0e-6
"""Seconds a pixel and frame for decoding, flow, carrying and encoding."""
TRACK_S_PER_PX: Final = 2.3e-6
"""Seconds a pixel and frame for tracking the subject, without the network."""
BASE_BYTES: Final = 600 << 20
"""Memory of the libraries, networks and frames in flight."""
FILM_BITS_PER_PX: Final = 0.2
"""Bits that an encoder needs for a pixel of a painting, about."""
WORK_BYTES_PER_PX: Final = 2.2
"""Bytes of a finished key for each of its pixels."""
PREVIEW_FRAMES: Final = 5
PREVIEW_PX: Final = 256
PREVIEW_STEPS: Final = 18


class Speed(NamedTuple):
    """Speed of this machine at the size that is painted at.

    Attributes:
        start_s: Seconds before the first step: networks, and the styles' targets.
        step_s: Seconds of one step at full size.
        matte_s: Seconds to find the subject in one frame; 0 where it is not needed.
    """

    start_s: float
    step_s: float
    matte_s: float


@dataclass(frozen=True)
class Estimate:
    """Expected cost of a film.

    Attributes:
        frames: Frames of the film.
        keys: Frames that are painted, about.
        steps: Steps of the first key.
        seconds: Time of the whole work.
        memory_bytes: Memory, which does not grow with the length.
        work_bytes: Size of the finished parts on disk while the work lasts.
        film_bytes: Size of the film, about.
    """

    frames: int
    keys: int
    steps: int
    seconds: float
    memory_bytes: int
    work_bytes: int
    film_bytes: int


def measure(painted: "PaintedVideo") -> Speed:
    """Find the subject in the film's first frame, and take a few steps on it."""
    painting = Painting(
        _scene(painted, painted.recipe.replace(schedule=(3,), time=None)),
        encoder=painted.tools.encoder,
        open_encoder=painted.tools.open_encoder,
        threads=painted.threads,
        engine=painted.engine,
    )
    started_s = time.monotonic()
    ends_s: list[float] = []
    try:
        with painting:
            for _ in painting if painted.is_painted else ():
                ends_s.append(time.monotonic())
        if not painted.is_painted:
            _ = painting.scene.segmentation
    except EmptyRegionError:  # the first frame may have no subject; the time to find that out is the same
        pass
    matte_s = time.monotonic() - started_s if not ends_s else painting.timings.get("segment", 0.0)
    if len(ends_s) < 2:
        return Speed(0.0, STEP_S_PER_PX * painted.size.pixels if painted.is_painted else 0.0, matte_s)
    step_s = (ends_s[-1] - ends_s[0]) / (len(ends_s) - 1)
    return Speed(max(0.0, ends_s[0] - started_s - matte_s - step_s), step_s, matte_s)


def estimate(painted: "PaintedVideo", speed: Speed, *, steps: int | None = None) -> Estimate:
    """Return the cost of a film.

    Args:
        painted: The film.
        speed: Speed of the machine.
        steps: Steps of the first key; None takes the recipe's.
    """
    settings, size, count = painted.settings, painted.size, painted.count
    steps = painted.recipe.steps if steps is None else steps
    drawn = ceil(count / settings.on)
    keys = min(drawn, ceil(drawn / settings.keys if settings.keys else count / USUAL_KEY_DISTANCE))
    keys = keys if painted.is_painted else 0
    found = count / MATTE_EVERY if speed.matte_s else 0.0
    each_s = (CARRY_S_PER_PX + (TRACK_S_PER_PX if found else 0.0)) * size.pixels
    seconds = speed.start_s + (speed.matte_s * found + each_s * count) / settings.on
    if keys:
        scales = plan_scales(size, max(1, steps), schedule=painted.recipe.schedule)
        first = sum(scale.steps * scale.size.pixels for scale in scales) / size.pixels
        later = painted.recipe.steps if painted.recipe.schedule else steps
        seconds += speed.step_s * (first + LATER_KEY_STEPS * later * (keys - 1))
    return Estimate(
        frames=count,
        keys=keys,
        steps=steps,
        seconds=seconds,
        memory_bytes=BASE_BYTES + (expected_bytes(painted.recipe.memory, size) if keys else 0),
        work_bytes=int(WORK_BYTES_PER_PX * size.pixels * keys + 0.2 * size.pixels * (count if found else 0)),
        film_bytes=int(FILM_BITS_PER_PX * size.pixels * count / settings.on / 8),
    )


def fit_steps(painted: "PaintedVideo", speed: Speed) -> tuple[int, tuple[str, ...]]:
    """Return the steps of the first key with which the recipe's time limit is kept, and a note.

    Steps are the recipe's at most, and ``FEWEST_STEPS`` at least, even if the time is not enough then.
    """
    limit_s = painted.recipe.time
    most = painted.recipe.steps
    if limit_s is None or not painted.is_painted:
        return most, ()
    fixed_s = estimate(painted, speed._replace(step_s=0.0)).seconds
    each_s = (estimate(painted, speed).seconds - fixed_s) / most
    steps = max(min(FEWEST_STEPS, most), min(most, int((limit_s - fixed_s) / max(each_s, 1e-9))))
    if fixed_s + steps * each_s > limit_s * 1.1:
        needed = ceil((fixed_s + steps * each_s) / 60)
        return steps, (f"the time is not enough: the film takes about {needed} min with the fewest steps, {steps}",)
    return steps, (f"{steps} of {most} steps for the first key, so that the time is kept",) if steps < most else ()


def preview(painted: "PaintedVideo") -> Iterator[tuple[str, Tensor]]:
    """Paint a few frames that are spread over the film, small and each alone.

    Yields:
        Caption with the frame's number and time, and the picture, shape (1, 3, H, W) or with alpha (1, 4, H, W).
    """
    size = min(PREVIEW_PX, painted.size.long_side)
    recipe = painted.recipe.replace(size=size, time=None, schedule=(), steps=min(PREVIEW_STEPS, painted.recipe.steps))
    opened, settings = painted.inputs.video, painted.settings
    end_s = min(opened.info.duration_s, settings.end or opened.info.duration_s)
    count = min(PREVIEW_FRAMES, painted.count)
    for number in range(count):
        at_s = settings.start + (end_s - settings.start) * (number + 0.5) / count
        frame = opened.frame(min(int(at_s * float(opened.info.fps)), opened.info.frames - 1))
        caption = f"frame {frame.index}, {float(frame.time_s):.1f} s"
        yield caption, _paint_one(painted, recipe, imaging.load(frame.rgb))


def _paint_one(painted: "PaintedVideo", recipe: Recipe, frame: imaging.Picture) -> Tensor:
    painting = Painting(
        _scene(painted, recipe, frame),
        encoder=painted.tools.encoder,
        open_encoder=painted.tools.open_encoder,
        threads=painted.threads,
        engine=painted.engine,
    )
    try:
        with painting:
            for _ in painting if painted.is_painted else ():
                pass
        result = painting.result()
    except EmptyRegionError:  # no subject is in this frame
        return imaging.resize(frame.rgb, painting.scene.size)
    if painted.settings.form == "matte" and result.matte is not None:
        return result.matte.expand(-1, 3, -1, -1)
    return result.composite


def _scene(painted: "PaintedVideo", recipe: Recipe, frame: imaging.Picture | None = None) -> Scene:
    sources = painted.inputs.sources
    return Scene(
        sources if frame is None else replace(sources, photo=frame),
        recipe if painted.settings.form != "matte" else recipe.replace(backdrop="transparent"),
        device=resolve_device(recipe.device),
        segmenter=painted.tools.segmenter,
        create_segmenter=painted.tools.create_segmenter,
    )
