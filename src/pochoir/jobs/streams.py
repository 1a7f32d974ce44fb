"""Standard input and output as pictures, and pictures on the way."""

import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pochoir import imaging
from pochoir.errors import ImageReadError, WriteError
from pochoir.imaging import Picture
from pochoir.jobs.job import STREAM, Job

if TYPE_CHECKING:
    from torch import Tensor

    from pochoir.video import Frame

PREVIEW_LONG_SIDE_PX = 384
"""Largest side of a preview."""
_JPEG_QUALITY = 80


def open_photo(job: Job) -> "str | Picture":
    """Return a job's photo: its path, or the picture on standard input.

    Raises:
        ImageReadError: Standard input holds no picture.
    """
    if job.photo != STREAM:
        return job.photo
    data = sys.stdin.buffer.read()
    if not data:
        raise ImageReadError("There is no picture on standard input; it is empty.")
    with tempfile.TemporaryDirectory(prefix="pochoir-") as folder:
        path = Path(folder, "standard input")
        path.write_bytes(data)
        return replace(imaging.load(path), name=path.name, path=None)


def save_output(job: Job, save: Callable[[str], None]) -> None:
    """Save a job's output by ``save``, which takes a path; or write it to standard output.

    Raises:
        WriteError: It cannot be written.
    """
    if job.output != STREAM:
        save(job.output)
        return
    with tempfile.TemporaryDirectory(prefix="pochoir-") as folder:
        path = Path(folder, f"output.{job.form.get('format', 'png')}")
        save(str(path))
        try:
            sys.stdout.buffer.write(path.read_bytes())
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise WriteError(f"Cannot write to standard output: {error.strerror or error}.") from error


def encode_preview(picture: "Tensor") -> bytes:
    """Return a small JPEG of a picture of shape (1, 3, H, W)."""
    from pochoir._types import Size

    size = Size(*picture.shape[-2:])
    if size.long_side > PREVIEW_LONG_SIDE_PX:
        picture = imaging.resize(picture, size.fit_long_side(PREVIEW_LONG_SIDE_PX))
    buffer = io.BytesIO()
    imaging.to_image(picture[:, :3]).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def encode_frame(frame: "Frame") -> bytes:
    """Return a small JPEG of a frame of a film, on white if it is transparent."""
    import torch

    values = torch.from_numpy(frame.copy()).permute(2, 0, 1)[None].float() / 255
    return encode_preview(values if values.shape[1] == 3 else values[:, :3] * values[:, 3:] + 1 - values[:, 3:])
