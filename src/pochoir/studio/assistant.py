"""Quick work on pictures, in a process of its own: reading uploads, finding subjects, thumbnails, downloads.

These functions run in the assistant's process, which keeps the networks loaded. The server never imports torch. A long
painting runs in another process and does not delay them.
"""

import asyncio
import contextlib
import functools
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pochoir._files import replacing
from pochoir.errors import InputError, PochoirError, UnknownNameError

SHOWN_PX = 4096
"""Long side of the picture that the page shows of a photo."""
THUMB_PX = 216
"""Height of a thumbnail: 72 CSS pixels on a display with three pixels for each."""

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class Assistant:
    """Process for quick work. It is started again if it dies."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def start(self) -> None:
        """Start the process and import what it needs, without waiting for it."""
        self._get_pool().submit(_warm_up)

    async def run(
        self, function: Callable[Arguments, Answer], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Answer:
        """Run a function of this module in the process; a call whose process died is repeated once."""
        call = functools.partial(function, *arguments, **named)
        for is_last in (False, True):
            pool = self._get_pool()
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, call)
            except BrokenProcessPool as error:
                if self._pool is pool:
                    self._pool = None
                pool.shutdown(wait=False, cancel_futures=True)
                if is_last:
                    raise PochoirError(
                        "The process that reads pictures died; there may be too little memory."
                    ) from error
        raise AssertionError

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            processes = list((self._pool._processes or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            self._pool = None

    def _get_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(os.getpid(),))
        return self._pool


def _begin(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server ends this process
    from pochoir.studio.painter import end_with_parent

    end_with_parent(parent)


def _warm_up() -> None:
    with contextlib.suppress(Exception):
        get_session()


@functools.cache
def get_session() -> Any:
    """Return the session that keeps this process's networks loaded."""
    import pochoir

    return pochoir.Session()


def read_photo(path: str, shown: str) -> dict[str, Any]:
    """Decode an upload and write the picture that the page shows.

    Args:
        path: The upload.
        shown: Where to write the shown picture, a PNG or JPEG by its name; it is upright sRGB.

    Returns:
        ``width``, ``height``, ``notes``, and ``record`` if the upload is one of pochoir's own pictures.

    Raises:
        InputError: The file is no picture that can be read.
    """
    from pochoir import imaging

    picture = imaging.load(path)
    size = picture.size
    small = size if size.long_side <= SHOWN_PX else size.fit_long_side(SHOWN_PX)
    rgb = picture.rgb if small == size else imaging.resize(picture.rgb, small)
    alpha = picture.alpha
    if alpha is not None and small != size:
        alpha = imaging.resize(alpha, small, mode="bilinear")
    imaging.save(shown, rgb, alpha=alpha)
    record = None
    with contextlib.suppress(InputError):
        record = imaging.read_record(path)
    return {"width": size.width, "height": size.height, "notes": list(picture.notes), "record": record}


def find_subject(path: str, mask: str, corrections: dict[str, Any], segmenter: str) -> dict[str, Any]:
    """Find a photo's subject and write its matte as an 8-bit PNG.

    Returns:
        ``parts``, the number of subjects, and ``notes``.
    """
    given = {name: value for name, value in corrections.items() if value not in (None, [], "all")}
    for name in ("keep_points", "drop_points"):
        if name in given:
            given[name] = ";".join(f"{x},{y}" for x, y in given[name])
    found = get_session().segment(path, segmenter=segmenter, with_parts=True, **given)
    _write_matte(found.matte, Path(mask))
    parts = 0 if found.parts is None else len(found.parts.boxes)
    return {"parts": parts, "notes": list(found.notes)}


def read_mask(path: str, width: int, height: int, mask: str) -> None:
    """Decode an uploaded mask and write it as an 8-bit PNG at the photo's size.

    Raises:
        InputError: The file is no mask of the photo's proportions.
    """
    from pochoir import imaging
    from pochoir._types import Size

    _write_matte(imaging.load_matte(path, size=Size(height, width)).matte, Path(mask))


def write_mask(data: bytes, width: int, height: int, mask: str) -> None:
    """Write one byte for each pixel as an 8-bit PNG."""
    from PIL import Image

    picture = Image.frombuffer("L", (width, height), data, "raw", "L", 0, 1)
    with replacing(Path(mask)) as draft:
        picture.save(draft, format="PNG", compress_level=1)


def make_thumbnail(path: str, thumb: str) -> None:
    """Write a small WebP of a picture, or of a clip's first frame."""
    from PIL import Image, ImageOps

    from pochoir.studio import moving

    if Path(path).suffix.lower() in moving.CONTAINERS:
        moving.write_still(path, thumb)
        path = thumb
    with Image.open(path) as picture:
        picture.draft("RGB", (4 * THUMB_PX, THUMB_PX))
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((4 * THUMB_PX, THUMB_PX))
        mode = "RGBA" if upright.has_transparency_data else "RGB"
        with replacing(Path(thumb)) as draft:
            upright.convert(mode).save(draft, format="WEBP", quality=80)


def draw_style(name: str, thumb: str) -> None:
    """Draw a built-in style and write a small WebP of it."""
    from PIL import Image

    from pochoir import styles
    from pochoir._types import Size

    drawn = Image.fromarray(styles.draw(name, size=Size(2 * THUMB_PX, 2 * THUMB_PX)))
    drawn.thumbnail((THUMB_PX, THUMB_PX))
    with replacing(Path(thumb)) as draft:
        drawn.save(draft, format="WEBP", quality=80)


def describe_picture(path: str) -> dict[str, Any]:
    """Return size, transparency and record of a finished picture; of a clip ``frames`` and ``duration_s`` as well."""
    from PIL import Image

    from pochoir import imaging
    from pochoir.studio import moving

    if Path(path).suffix.lower() in moving.SUFFIXES:
        found = moving.describe(path)
        if found is not None:
            return found
    with Image.open(path) as picture:
        facts: dict[str, Any] = {
            "width": picture.width,
            "height": picture.height,
            "transparent": picture.has_transparency_data,
        }
    try:
        facts["record"] = imaging.read_record(Path(path))
    except InputError:
        facts["record"] = None
    return facts


def write_sample(folder: str) -> str:
    """Write the sample photo, which is in the public domain, and return its path."""
    import skimage.data
    from PIL import Image

    path = Path(folder, "astronaut.png")
    with replacing(path) as draft:
        Image.fromarray(skimage.data.astronaut()).save(draft, format="PNG")  # type: ignore[no-untyped-call]
    return str(path)


EXPORTS = ("picture", "cutout", "matte", "layers")
"""Forms in which a finished picture can be downloaded."""


def export(source: str, target: str, kind: str, *, photo: str | None, mask: str | None, keeps_record: bool) -> None:
    """Write a finished picture in another form.

    Args:
        source: The finished picture.
        target: File to write; its extension names the format.
        kind: One of ``EXPORTS``.
        photo: The photo that was painted, for layers.
        mask: The mask that was used; a transparent picture's own alpha is used where there is none.
        keeps_record: Write the record into the file.

    Raises:
        InputError: There is no mask, or the format cannot hold what was asked for.
    """
    from pochoir import compositing, imaging

    if kind not in EXPORTS:
        raise UnknownNameError("form", kind, EXPORTS)
    picture = imaging.load(source)
    record = imaging.read_record(Path(source)) if keeps_record else None
    alpha = picture.alpha
    if kind == "picture":
        is_opaque_format = Path(target).suffix.lower() in (".jpg", ".jpeg")
        rgb = picture.rgb
        if alpha is not None and is_opaque_format:
            rgb, alpha = rgb * alpha + (1.0 - alpha), None  # on white
        imaging.save(target, rgb, alpha=alpha, record=record)
        return
    if mask is not None:
        alpha = imaging.load_matte(mask, size=picture.size).matte
    if alpha is None:
        raise InputError("This picture was painted as a whole, without a mask, so there is nothing to cut out.")
    if kind == "matte":
        imaging.save(target, alpha.expand(-1, 3, -1, -1))
        return
    cut = compositing.cutout(picture.rgb, alpha)
    if kind == "cutout":
        imaging.save(target, cut[:, :3], alpha=cut[:, 3:], record=record)
        return
    _write_layers(target, picture, cut, alpha, photo)


def _write_layers(target: str, picture: Any, cut: Any, alpha: Any, photo: str | None) -> None:
    from pochoir import imaging
    from pochoir.imaging.openraster import Layer, save_layers

    layers = [Layer("subject", cut), Layer("painted", picture.rgb)]
    layers.append(Layer("matte", alpha.expand(-1, 3, -1, -1), is_visible=False))
    if photo is not None:
        with contextlib.suppress(InputError):
            original = imaging.resize(imaging.load(photo).rgb, picture.size)
            layers.append(Layer("photo", original, is_visible=False))
    save_layers(target, layers, origin="painted")


def _write_matte(matte: Any, mask: Path) -> None:
    from PIL import Image

    values = (matte[0, 0].clamp(0, 1) * 255).round().byte().cpu().numpy()
    with replacing(mask) as draft:
        Image.fromarray(values, mode="L").save(draft, format="PNG", compress_level=1)
