"""Quick work on videos, in the assistant's process: reading uploads, and previews of films."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pochoir._files import replacing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

POSTER_PX = 1280
"""Long side of the picture that the page shows of a video."""


def read_video(path: str, poster: str) -> dict[str, Any]:
    """Open an upload as a video, and write its first frame as a WebP.

    Returns:
        ``width``, ``height``, ``frames``, ``fps``, ``duration_s``, ``has_sound`` and ``notes``.

    Raises:
        InputError: The file is no video that can be read.
        MissingExtraError: PyAV is not installed.
    """
    from pochoir import video

    with video.open_video(path) as opened:
        info = opened.info
        _write(opened.frame(0).rgb, Path(poster), POSTER_PX)
        return {
            "width": info.size.width,
            "height": info.size.height,
            "frames": info.frames,
            "fps": float(info.fps),
            "duration_s": info.duration_s,
            "has_sound": info.has_sound,
            "notes": list(opened.notes),
        }


def find_in_frame(path: str, number: int, hints: dict[str, Any] | None, picture: str, matte: str) -> None:
    """Write a frame of a video as a WebP, and on request the matte of its subject as an 8-bit PNG of the same size.

    Args:
        path: The video.
        number: Number of the frame, counted from 0.
        hints: ``keep_points``, ``drop_points`` and ``box``, in the video's pixels; None finds no subject.
        picture: File of the frame; it is not written again.
        matte: File of the matte.

    Raises:
        InputError: There is no such frame, or a hint lies outside.
    """
    from PIL import Image

    from pochoir import video
    from pochoir.recipe import Recipe
    from pochoir.sequence.inputs import check_hints
    from pochoir.sequence.settings import Correction
    from pochoir.sequence.subjects import SubjectFinder
    from pochoir.studio.assistant import get_session

    with video.open_video(path) as opened:
        size = opened.info.size
        small = size if size.long_side <= POSTER_PX else size.fit_long_side(POSTER_PX)
        pixels = opened.frame(number, small).rgb
    if not Path(picture).exists():
        _write(pixels, Path(picture), POSTER_PX)
    if hints is None:
        return
    correction = Correction.model_validate({"frame": number, **hints})
    check_hints(correction, size, small)
    found = SubjectFinder(Recipe(), size, small, create=get_session().find_segmenter)(pixels, correction)
    with replacing(Path(matte)) as draft:
        Image.fromarray((found * 255).round().astype("uint8"), mode="L").save(draft, format="PNG", compress_level=1)


def check_film(path: str, recipe: dict[str, Any], form: dict[str, Any], output: str) -> None:
    """Find out whether a film can be begun, before it waits in the queue.

    Args:
        path: The video.
        recipe: Settings of the painting as plain values.
        form: Settings of the film.
        output: Name of the film; its extension picks the format.

    Raises:
        InputError: The settings, the video and the format do not go together.
        MissingExtraError: PyAV is not installed.
    """
    from pochoir.recipe import Recipe
    from pochoir.sequence.making import prepare
    from pochoir.sequence.settings import VideoSettings
    from pochoir.video import format_of

    painted = prepare(path, Recipe.from_dict(recipe), VideoSettings.model_validate(form), {})
    format_of(output, alpha=painted.is_transparent, fps=1.0, codec=painted.settings.codec)


def preview_film(path: str, recipe: dict[str, Any], form: dict[str, Any], folder: str) -> dict[str, Any]:
    """Paint a few small frames of a film, and estimate the whole.

    Args:
        path: The video.
        recipe: Settings of the painting as plain values.
        form: Settings of the film.
        folder: Place of the frames, ``0.webp`` and so on. It is made anew.

    Returns:
        ``captions`` of the frames, ``estimate`` (frames, keys, seconds, bytes) and ``notes``.

    Raises:
        InputError: A setting cannot be used.
    """
    from pochoir.clips.arrays import to_picture
    from pochoir.recipe import Recipe
    from pochoir.sequence import plan
    from pochoir.sequence.making import prepare
    from pochoir.sequence.settings import VideoSettings

    place = Path(folder)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    painted = prepare(path, Recipe.from_dict(recipe), VideoSettings.model_validate(form), {})
    captions = []
    for number, (caption, picture) in enumerate(plan.preview(painted)):
        pixels = (to_picture(picture) * 255).round().astype("uint8")
        _write(pixels, place / f"{number}.webp", plan.PREVIEW_PX)
        captions.append(caption)
    expected = plan.estimate(painted, plan.measure(painted))
    return {
        "captions": captions,
        "estimate": {
            "frames": expected.frames,
            "keys": expected.keys,
            "seconds": expected.seconds,
            "memory": expected.memory_bytes,
            "film": expected.film_bytes,
            "is_long": expected.seconds > plan.LONG_S,
        },
        "notes": list(painted.notes),
    }


def _write(pixels: "npt.NDArray[np.uint8]", target: Path, long_px: int) -> None:
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((long_px, long_px))
    with replacing(target) as draft:
        picture.save(draft, format="WEBP", quality=88)
