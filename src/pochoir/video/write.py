"""Writing of moving pictures; the extension picks the format."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pochoir._files import replacing
from pochoir.errors import MissingExtraError, OptionError, OutputPathError, WriteError
from pochoir.imaging import check_place
from pochoir.video import write_animated, write_apng, write_av, write_frames, write_gif
from pochoir.video.codecs import AUTO, codec_of
from pochoir.video.film import Film

Writer = Callable[[Film, Path, int | None], None]


@dataclass(frozen=True)
class Format:
    """One way to write moving pictures.

    Attributes:
        about: One line for people.
        write: Function that writes a film to a path.
        alpha: True if the format holds transparency.
        most_fps: Largest number of frames a second.
        needs_av: True if PyAV writes it.
        in_place: True if the writer itself takes care that nothing is half-written, because it writes several files.
    """

    about: str
    write: Writer
    alpha: bool = True
    most_fps: float = 240.0
    needs_av: bool = False
    in_place: bool = False


FOLDER: Final = Format("folder of PNG files", write_frames.write_folder, in_place=True)
"""The format of a path without extension."""
FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        ".webp": Format("animated WebP, lossy colours, exact alpha", write_animated.write_webp),
        ".gif": Format("GIF, 255 colours, alpha on or off", write_gif.write, most_fps=50.0),
        ".png": Format("animated PNG, lossless", write_apng.write),
        ".avif": Format("animated AVIF, smallest", write_animated.write_avif),
        ".mp4": Format("MP4 with AV1", write_av.write_mp4, alpha=False, needs_av=True),
        ".webm": Format("WebM with VP9", write_av.write_webm, needs_av=True),
        ".mov": Format("QuickTime with ProRes 4444, for editing", write_av.write_mov, needs_av=True),
        ".mkv": Format("Matroska with AV1, or lossless with alpha", write_av.write_mkv, needs_av=True),
        ".json": Format("sprite sheet (.png) and its JSON", write_frames.write_sprites, in_place=True),
    }
)
"""All formats by their extension."""


def format_of(path: str | os.PathLike[str], *, alpha: bool, fps: float, codec: str | None = None) -> Format:
    """Return the format that a path asks for.

    Raises:
        OutputPathError: The extension is unknown, or the format holds no transparency.
        OptionError: The format cannot show so many frames a second, or cannot hold the codec.
        MissingExtraError: PyAV is not installed.
    """
    suffix = Path(path).suffix.lower()
    if not suffix:
        _check_codec(suffix, codec, alpha=alpha)
        return FOLDER
    if suffix not in FORMATS:
        raise OutputPathError(
            f"Cannot tell the format of {os.fspath(path)!r} by its extension {suffix!r}; "
            f"allowed: {', '.join(FORMATS)}, or a folder's name without extension."
        )
    chosen = FORMATS[suffix]
    if alpha and not chosen.alpha:
        able = ", ".join(name for name, each in FORMATS.items() if each.alpha)
        raise OutputPathError(f"{suffix} holds no transparency; use {able}, or give a --backdrop.")
    _check_codec(suffix, codec, alpha=alpha)
    if fps > chosen.most_fps:
        raise OptionError(f"{suffix} shows up to {chosen.most_fps:g} frames a second; got {fps:g}.")
    if chosen.needs_av and find_spec("av") is None:
        raise MissingExtraError(f"Writing {suffix} needs PyAV; install it with: pip install 'pochoir[video]'")
    return chosen


def _check_codec(suffix: str, codec: str | None, *, alpha: bool) -> None:
    if codec not in (None, AUTO):
        codec_of(suffix, codec, alpha=alpha)


def check_film_output(
    path: str | os.PathLike[str],
    *,
    alpha: bool,
    fps: float,
    codec: str | None = None,
    inputs: Iterable[str | os.PathLike[str]] = (),
    force: bool = False,
) -> None:
    """Find out before a long run whether its film can be written.

    Args:
        path: File to write, or a folder for single frames.
        alpha: True if the film is transparent.
        fps: Frames a second.
        codec: Name of a codec of ``CODECS``; None takes the format's own.
        inputs: Files that the run reads; none of them is overwritten.
        force: Allow an input to be replaced, and a folder to hold other files.

    Raises:
        OutputPathError: The path cannot be used.
        OptionError: The format cannot show so many frames a second, or cannot hold the codec.
        MissingExtraError: PyAV is not installed.
    """
    target = Path(path)
    chosen = format_of(target, alpha=alpha, fps=fps, codec=codec)
    if chosen is FOLDER:
        write_frames.check_folder(target, force=force)
        return
    check_place(target)
    written = [target, write_frames.sheet_of(target)] if target.suffix.lower() == ".json" else [target]
    for source in inputs:
        if not force and any(_is_same(each, Path(source)) for each in written):
            raise OutputPathError(
                f"{os.fspath(path)!r} is an input and would be overwritten; "
                "choose another output or force it (--force)."
            )


def save(path: str | os.PathLike[str], film: Film, *, quality: int | None = None) -> Path:
    """Write a film; at its name there is the old file or the whole new one, never a part.

    Args:
        path: Where to; the extension picks the format, and none writes a folder of PNG files.
        film: The frames.
        quality: 1 to 100 for formats that lose detail; None takes each format's own.

    Returns:
        The path.

    Raises:
        OutputPathError: The extension is unknown, or the format cannot hold the film.
        OptionError: The format cannot show so many frames a second, or the quality is out of range.
        MissingExtraError: PyAV is not installed.
        WriteError: The disk is full, the folder cannot be written to, or an encoder failed.
    """
    target = Path(path)
    if quality is not None and not 1 <= quality <= 100:
        raise OptionError(f"The quality is a whole number from 1 to 100; got {quality}.")
    chosen = format_of(target, alpha=film.alpha, fps=film.fps, codec=film.codec)
    with _as_write_errors(target):
        if chosen.in_place:
            chosen.write(film, target, quality)
        else:
            with replacing(Path(os.path.realpath(target))) as draft:  # a link is written through
                chosen.write(film, draft, quality)
    return target


@contextmanager
def _as_write_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # PyAV's errors are among them, and encoders refuse sizes with both
        raise WriteError(f"Cannot write {str(target)!r}: {getattr(error, 'strerror', None) or error}.") from error


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # at least one does not exist
        return os.path.realpath(one) == os.path.realpath(other)
