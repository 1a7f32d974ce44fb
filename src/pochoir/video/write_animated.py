"""Animated WebP and AVIF, by Pillow."""

from pathlib import Path
from typing import Any

from PIL import Image

from pochoir.video.film import Film
from pochoir.video.records import to_xmp


class _Frames(Image.Image):
    """A picture of many frames that takes each from an iterator when it is asked for.

    Pillow collects the frames of ``append_images`` in a list first. A picture that knows its own frames is read one by
    one, so a long film needs no more memory than a short one.
    """

    def __init__(self, film: Film) -> None:
        super().__init__()
        self._frames = iter(film.frames)
        self._at = -1
        self.n_frames = film.count
        self.is_animated = film.count > 1
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Take the next frame; earlier ones cannot be had again."""
        if frame >= self.n_frames:
            raise EOFError
        if frame < self._at:
            return  # Pillow returns to where it began once all is written
        while self._at < frame:
            image = Image.fromarray(next(self._frames))
            self._at += 1
            self.im, self._mode, self._size = image.im, image.mode, image.size

    def tell(self) -> int:
        """Return the number of the current frame."""
        return max(0, self._at)


def write_webp(film: Film, path: Path, quality: int | None) -> None:
    """Write an animated WebP with exact alpha."""
    # By default every fifth frame is encoded as a whole, so still surroundings change a little five times a second.
    only_first = {"kmin": film.count, "kmax": film.count + 1}
    _save(film, path, "WEBP", quality=80 if quality is None else quality, method=2, minimize_size=False, **only_first)


def write_avif(film: Film, path: Path, quality: int | None) -> None:
    """Write an animated AVIF."""
    # One thread: the encoder's threads would change the bytes.
    _save(film, path, "AVIF", quality=60 if quality is None else quality, speed=9, max_threads=1)


def _save(film: Film, path: Path, kind: str, **options: Any) -> None:
    if film.record is not None:
        options["xmp"] = to_xmp(film.record)
    frames = _Frames(film)
    frames.save(path, kind, save_all=True, duration=film.delays_ms(), loop=0 if film.loop else 1, **options)
