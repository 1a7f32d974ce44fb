"""Photos of the report: those of pochoir's own dependencies, and the sample photos that were fetched."""

import bz2
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from skimage import data

from pochoir import imaging, weights
from pochoir._types import Box
from pochoir.errors import ImageReadError


@dataclass(frozen=True)
class SamplePhoto:
    """A photo that comes with a package.

    Attributes:
        read: Returns its path, or its pixels of 8 bits.
        box: Box that a person drew around its subject, in pixels.
        licence: Terms, with the author.
        package: Package that carries it.
    """

    read: Callable[[], Any]
    box: Box
    licence: str
    package: str = "scikit-image"


def _grace_hopper() -> Path:
    import matplotlib as mpl

    return Path(mpl.get_data_path(), "sample_data", "grace_hopper.jpg")


def _motorcycle() -> Any:
    left, _, _ = data.stereo_motorcycle()  # type: ignore[no-untyped-call]
    return left


PHOTOS = {
    "astronaut": SamplePhoto(data.astronaut, Box(12, 8, 490, 503), "public domain, NASA"),
    "camera": SamplePhoto(data.camera, Box(8, 40, 385, 472), "CC0, Lav Varshney"),
    "cell": SamplePhoto(data.cell, Box(355, 305, 145, 145), "CC0, Paul Müller"),
    "chelsea": SamplePhoto(data.chelsea, Box(2, 2, 390, 296), "CC0, Stefan van der Walt"),
    "clock": SamplePhoto(data.clock, Box(135, 92, 150, 125), "public domain, Stefan van der Walt"),
    "coffee": SamplePhoto(data.coffee, Box(70, 12, 415, 386), "CC0, Rachel Michetti"),
    "coins": SamplePhoto(data.coins, Box(20, 6, 358, 290), "no known copyright restrictions, Brooklyn Museum"),
    "grace-hopper": SamplePhoto(_grace_hopper, Box(18, 12, 490, 588), "public domain, US Navy", "matplotlib"),
    "motorcycle": SamplePhoto(_motorcycle, Box(96, 82, 592, 372), "BSD-3-Clause (the package), Middlebury College"),
    "retina": SamplePhoto(data.retina, Box(8, 8, 1395, 1395), "CC0, Mikael Häggström"),
    "rocket": SamplePhoto(data.rocket, Box(307, 120, 32, 288), "public domain, SpaceX"),
}
"""Photos with a subject in the wheels of pochoir's own dependencies. Textures and charts are left out."""

_FETCHED_BOXES = {
    "dahlia": Box(166, 82, 284, 280),
    "farmer": Box(490, 620, 810, 425),
    "mountain": Box(1000, 1520, 2600, 1450),
    "pagoda": Box(64, 28, 300, 392),
    "portrait": Box(8, 18, 292, 359),
    "quokka": Box(145, 42, 400, 601),
    "raccoon": Box(0, 4, 945, 600),
    "road-sign": Box(960, 1620, 1070, 1550),
    "walker": Box(335, 295, 325, 640),
}
_RACCOON_SHAPE = (768, 1024, 3)


def sample_photos() -> dict[str, SamplePhoto]:
    """Return the sample photos that are here by name, those that ``pochoir models pull photos`` fetched included."""
    found = dict(PHOTOS)
    for name, box in _FETCHED_BOXES.items():
        row = weights.SAMPLES[f"photo-{name}"]
        path = weights.home() / row.filename
        if path.is_file():
            package = " ".join(row.sources[0].description.split()[1:]).partition("==")[0]
            found[name] = SamplePhoto(_reader(path), box, row.licence, package)
    return found


def missing_photos() -> int:
    """Return the number of sample photos that were not fetched."""
    return len(PHOTOS) + len(_FETCHED_BOXES) - len(sample_photos())


def _reader(path: Path) -> Callable[[], Any]:
    if path.suffix != ".dat":
        return lambda: path
    return lambda: np.frombuffer(bz2.decompress(path.read_bytes()), np.uint8).reshape(_RACCOON_SHAPE)


def write_photos(folder: Path, *, more: Path | None = None) -> dict[str, Path]:
    """Write the sample photos as files, since jobs take their inputs by path.

    Args:
        folder: Folder for the files; made if need be.
        more: Folder of further photos, which stay where they are.

    Returns:
        Paths by name.

    Raises:
        ImageReadError: The folder of further photos holds none.
    """
    samples = sample_photos()
    others = {} if more is None else find_photos(more, samples)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: _write_photo(folder, name, sample.read()) for name, sample in samples.items()}
    return paths | others


def _write_photo(folder: Path, name: str, photo: Any) -> Path:
    path = folder / f"{name}{photo.suffix if isinstance(photo, Path) else '.png'}"
    if isinstance(photo, Path):
        imaging.write_file(path, photo.read_bytes())
    else:
        imaging.save(path, imaging.load(photo).rgb)
    return path


def find_photos(folder: Path, samples: Collection[str] = ()) -> dict[str, Path]:
    """Return the photos in a folder by name; one that has the name of a sample gets another.

    Raises:
        ImageReadError: There are none.
    """
    suffixes = imaging.picture_suffixes()
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    found = {path.stem: path for path in files if path.suffix.lower() in suffixes and not path.name.startswith(".")}
    if not found:
        raise ImageReadError(f"--photos takes a folder of photos; '{folder}' holds none.")
    return {f"own-{name}" if name in samples else name: path for name, path in found.items()}
