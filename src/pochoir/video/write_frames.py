"""Folders of single frames, and sprite sheets."""

import json
import os
import shutil
from math import ceil, sqrt
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from pochoir._files import replacing
from pochoir.errors import OptionError, OutputPathError
from pochoir.imaging import check_place
from pochoir.video.film import Film
from pochoir.video.records import RECORD_FILE, RECORD_KEY

MOST_SHEET_PX: Final = 16384
"""Longest side of a sprite sheet: what graphics cards load."""
_PATTERN = "frame-*.png"


def check_folder(folder: Path, *, force: bool) -> None:
    """Check that frames can be written into a folder without replacing files of other kinds.

    Raises:
        OutputPathError: It is a file, or its parent is missing, or it holds anything but frames that pochoir wrote.
    """
    if not folder.exists():
        check_place(folder)
        return
    if not folder.is_dir():
        raise OutputPathError(f"{str(folder)!r} is a file; frames go into a folder, films need an extension.")
    foreign = [entry for entry in folder.iterdir() if not (entry.match(_PATTERN) or entry.name == RECORD_FILE)]
    if foreign and not force:
        raise OutputPathError(
            f"The folder {str(folder)!r} holds other files, such as {foreign[0].name!r}; choose an empty folder."
        )


def write_folder(film: Film, folder: Path, quality: int | None) -> None:
    """Write every frame as a PNG; the folder appears when it is whole, in the place of earlier frames.

    Args:
        film: The frames.
        folder: Folder to make.
        quality: Not used: PNG loses nothing.
    """
    check_folder(folder, force=False)
    draft = folder.with_name(f"{folder.name}.{os.getpid()}.{os.urandom(4).hex()}")
    digits = max(4, len(str(film.count)))
    try:
        draft.mkdir()
        for index, frame in enumerate(film.frames, start=1):
            Image.fromarray(frame).save(draft / f"frame-{index:0{digits}d}.png", compress_level=4)
        if film.record is not None:
            (draft / RECORD_FILE).write_text(film.record, encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def sheet_of(path: Path) -> Path:
    """Return where the picture of a sprite sheet goes whose description is at ``path``."""
    return path.with_suffix(".png")


def write_sprites(film: Film, path: Path, quality: int | None) -> None:
    """Write a sprite sheet beside a JSON that tells the box and the duration of each frame.

    The JSON has the layout that sprite packers share: an array of frames, and facts about the sheet under ``meta``.

    Args:
        film: The frames.
        path: The JSON; the picture has the same name with ``.png``.
        quality: Not used: PNG loses nothing.

    Raises:
        OptionError: The sheet would be larger than ``MOST_SHEET_PX`` on a side.
    """
    columns = ceil(sqrt(film.count * film.size.height / film.size.width))
    columns = min(max(columns, 1), film.count)
    rows = ceil(film.count / columns)
    width, height = columns * film.size.width, rows * film.size.height
    if max(width, height) > MOST_SHEET_PX:
        raise OptionError(
            f"A sprite sheet of {film.count} frames would have {width}x{height} pixels, and {MOST_SHEET_PX} a side is "
            "the most; use a smaller --size, fewer --fps or a shorter --duration."
        )
    sheet = np.zeros((height, width, 4 if film.alpha else 3), np.uint8)
    entries = []
    for index, (frame, delay_ms) in enumerate(zip(film.frames, film.delays_ms(), strict=False)):
        left, top = index % columns * film.size.width, index // columns * film.size.height
        sheet[top : top + film.size.height, left : left + film.size.width] = frame
        box = {"x": left, "y": top, "w": film.size.width, "h": film.size.height}
        entries.append({"filename": f"{path.stem}-{index}", "frame": box, "duration": delay_ms})
    picture = sheet_of(path)
    meta: dict[str, Any] = {"app": "pochoir", "image": picture.name, "format": "RGBA8888" if film.alpha else "RGB888"}
    meta |= {"size": {"w": width, "h": height}, "scale": "1", "loop": film.loop}
    if film.record is not None:
        meta[RECORD_KEY] = film.record
    with replacing(picture) as draft, replacing(path) as described:
        Image.fromarray(sheet).save(draft, "PNG", compress_level=4)
        described.write_text(json.dumps({"frames": entries, "meta": meta}, ensure_ascii=False), encoding="utf-8")
