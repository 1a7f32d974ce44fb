"""Write photo and alpha of every drawn scene as PNG files, to look at them."""

import argparse
from pathlib import Path

from pochoir import imaging
from pochoir.lab.scenes import MATTE_SCENES, draw_matte_scene


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--size", type=int, default=800, metavar="PX", help="long side (default: %(default)s)")
    parser.add_argument("--only", nargs="*", default=MATTE_SCENES, choices=MATTE_SCENES, metavar="SCENE")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        scene = draw_matte_scene(name, long_side_px=options.size)
        imaging.save(options.folder / f"{name}-photo.png", scene.photo)
        imaging.save(options.folder / f"{name}-alpha.png", scene.alpha.expand(-1, 3, -1, -1))


if __name__ == "__main__":
    main()
