"""Quick work on clips, in the assistant's process: facts, stills, other formats, and motions to choose from."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pochoir._files import replacing
from pochoir.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

    from pochoir.video import Film, Frame

SUFFIXES = (".webp", ".gif", ".png", ".avif", ".mp4", ".webm", ".mov", ".mkv")
"""Extensions of files that may hold moving pictures."""
CONTAINERS = (".mp4", ".webm", ".mov", ".mkv")
"""Extensions of files that Pillow does not read."""
TRIAL_PX = 128
"""Long side of the pictures of motions."""
TRIAL_FRAMES = 12
POSE = 0.19
"""Share of a clip after which most motions are far from rest."""


def describe(path: str) -> dict[str, Any] | None:
    """Return size, transparency, frames, seconds and record of a clip; None if the file holds one picture."""
    from pochoir import video

    facts: dict[str, Any]
    if Path(path).suffix.lower() in CONTAINERS:
        with video.open_video(path) as opened:
            info = opened.info
            facts = {"width": info.size.width, "height": info.size.height, "transparent": info.has_alpha}
            facts |= {"frames": info.frames, "duration_s": info.duration_s}
    else:
        from PIL import Image

        with Image.open(path) as picture:
            count = int(getattr(picture, "n_frames", 1))
            if count < 2:
                return None
            facts = {"width": picture.width, "height": picture.height, "transparent": _is_transparent(picture)}
            facts |= {"frames": count, "duration_s": float(sum(_iter_durations(picture)))}
    try:
        facts["record"] = video.read_film_record(path)
    except InputError:
        facts["record"] = None
    return facts


def write_still(source: str, target: str) -> None:
    """Write the first frame of a clip as a picture."""
    if Path(source).suffix.lower() in CONTAINERS:
        from PIL import Image

        from pochoir import video

        with video.open_video(source) as opened:
            still: Image.Image = Image.fromarray(opened.frame(0).rgb)
    else:
        from PIL import Image

        with Image.open(source) as picture:
            still = picture.convert("RGBA" if _is_transparent(picture) else "RGB")
    with replacing(Path(target)) as draft:
        still.save(draft, format="WEBP", quality=92)


def convert(source: str, target: str, *, keeps_record: bool) -> None:
    """Write a clip in another format.

    Args:
        source: The clip.
        target: File to write; its extension names the format.
        keeps_record: Write the record into the file.

    Raises:
        InputError: The format cannot hold the clip.
        MissingExtraError: PyAV is needed and not installed.
    """
    from pochoir import video

    record = None
    if keeps_record:
        try:
            record = video.read_film_record(source)
        except InputError:
            record = None
    if Path(source).suffix.lower() in CONTAINERS:
        _convert_video(source, target, record)
        return
    from PIL import Image

    with Image.open(source) as picture:
        alpha = _is_transparent(picture)
        film = _film(picture, list(_iter_durations(picture)), record, alpha=alpha)
        video.save(target, film)


def _convert_video(source: str, target: str, record: str | None) -> None:
    from pochoir import video

    with video.open_video(source) as opened:
        info = opened.info
        if info.has_alpha:
            raise InputError("Transparent films are kept in their own format; download this one as it is.")
        film = video.Film(
            frames=(frame.rgb for frame in opened.frames()),
            count=info.frames,
            size=info.size,
            fps=float(info.fps),
            record=record,
            sample=lambda index: opened.frame(index).rgb,
            durations=(frame.duration or 1 / info.fps for frame in opened.frames()) if info.is_variable else None,
            time_base=info.time_base if info.is_variable else None,
            sound=video.SoundSource(source) if info.has_sound else None,
        )
        video.save(target, film)


def _film(picture: "Image.Image", durations: list[Fraction], record: str | None, *, alpha: bool) -> "Film":
    import numpy as np

    from pochoir import video
    from pochoir._types import Size

    def read(index: int) -> "Frame":
        picture.seek(index)
        return np.asarray(picture.convert("RGBA" if alpha else "RGB"))

    fps = float(len(durations) / sum(durations))
    nearest = round(fps)
    return video.Film(
        frames=map(read, range(len(durations))),
        count=len(durations),
        size=Size(picture.height, picture.width),
        fps=float(nearest) if abs(fps - nearest) < 0.02 * fps else fps,  # files keep whole milliseconds
        alpha=alpha,
        loop=picture.info.get("loop", 1) == 0,
        record=record,
        sample=read,
    )


def _is_transparent(picture: "Image.Image") -> bool:
    """Tell whether a clip's first frame is transparent somewhere; animated WebP is read as RGBA in any case."""
    if not picture.has_transparency_data:
        return False
    return picture.convert("RGBA").getchannel("A").histogram()[255] < picture.width * picture.height


def _iter_durations(picture: "Image.Image") -> Iterator[Fraction]:
    for index in range(getattr(picture, "n_frames", 1)):
        picture.seek(index)
        picture.load()
        yield Fraction(max(1, round(picture.info.get("duration", 40))), 1000)


def draw_motions(photo: str, mask: str | None, folder: str) -> dict[str, str]:
    """Draw each motion that a photo's subject can do: ``NAME.webp`` stands still, ``NAME-moving.webp`` moves.

    Args:
        photo: The photo.
        mask: Its mask; None finds the subject.
        folder: Place of the pictures. It is made.

    Returns:
        The motions that the subject cannot do, and why.
    """
    from PIL import Image

    from pochoir import clips
    from pochoir.recipe import Recipe

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(mask=mask, size=TRIAL_PX, backdrop="transparent")  # type: ignore[arg-type]
    reasons: dict[str, str] = {}
    for name, clip in clips.prepare(photo, recipe).trials(is_transparent=True):
        if isinstance(clip, str):
            reasons[name] = clip
            continue
        count = len(clip)
        step = count / TRIAL_FRAMES
        frames = [Image.fromarray(clip.frame_at(int(step * index))) for index in range(TRIAL_FRAMES)]
        for frame in frames:
            frame.thumbnail((TRIAL_PX, TRIAL_PX))
        moving = {"append_images": frames[1:], "duration": round(1000 * step / clip.fps), "loop": 0, "quality": 70}
        with replacing(place / f"{name}-moving.webp") as draft:
            frames[0].save(draft, format="WEBP", save_all=True, **moving)
        with replacing(place / f"{name}.webp") as draft:
            frames[round(POSE * TRIAL_FRAMES)].save(draft, format="WEBP", quality=80)
    return reasons
