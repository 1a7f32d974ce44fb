"""Photos of the report: those in the wheels of pochoir's own dependencies whose licences allow any use."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skimage import data

from pochoir import imaging
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


PHOTOS = {
    "astronaut": SamplePhoto(data.astronaut, Box(12, 8, 490, 503), "public domain, NASA"),
    "camera": SamplePhoto(data.camera, Box(8, 40, 385, 472), "CC0, Lav Varshney"),
    "cell": SamplePhoto(data.cell, Box(355, 305, 145, 145), "CC0, Paul Müller"),
    "chelsea": SamplePhoto(data.chelsea, Box(2, 2, 390, 296), "CC0, Stefan van der Walt"),
    "clock": SamplePhoto(data.clock, Box(135, 92, 150, 125), "public domain, Stefan van der Walt"),
    "coffee": SamplePhoto(data.coffee, Box(70, 12, 415, 386), "CC0, Rachel Michetti"),
    "coins": SamplePhoto(data.coins, Box(20, 6, 358, 290), "no known copyright restrictions, Brooklyn Museum"),
    "grace-hopper": SamplePhoto(_grace_hopper, Box(18, 12, 490, 588), "public domain, US Navy", "matplotlib"),
    "retina": SamplePhoto(data.retina, Box(8, 8, 1395, 1395), "CC0, Mikael Häggström"),
    "rocket": SamplePhoto(data.rocket, Box(307, 120, 32, 288), "public domain, SpaceX"),
}
"""The photos with a subject; textures, charts and pictures without stated terms are left out."""


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
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.png" for name in PHOTOS}
    for name, path in paths.items():
        imaging.save(path, imaging.load(PHOTOS[name].read()).rgb)
    return paths | ({} if more is None else _find_photos(more))


def _find_photos(folder: Path) -> dict[str, Path]:
    suffixes = imaging.picture_suffixes()
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    found = {path.stem: path for path in files if path.suffix.lower() in suffixes and not path.name.startswith(".")}
    if not found:
        raise ImageReadError(f"--photos takes a folder of photos; '{folder}' holds none.")
    return {f"own-{name}" if name in PHOTOS else name: path for name, path in found.items()}
