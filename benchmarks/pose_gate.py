"""Photos whose skeleton is accepted: python benchmarks/pose_gate.py FOLDER... [--mattes FOLDER].

Give photos without a person who stands free and whole in them: none should be accepted, as it is or mirrored. Photos of
scikit-image are looked at as well.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from skimage import data

import pochoir
from pochoir import imaging
from pochoir.animation.pose import Doubt, find_person
from pochoir.errors import PochoirError

SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")
LONG_SIDE_PX = 512


def main() -> None:
    """Print the verdict on each photo, and how many were accepted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--mattes", type=Path, help="folder with mattes of the same names; others are found")
    parser.add_argument("--skip", nargs="*", default=(), help="names of photos in which a person stands")
    options = parser.parse_args()
    photos: dict[str, object] = {f"scikit-image {name}": getattr(data, name)() for name in SAMPLES}
    suffixes = imaging.picture_suffixes()
    for folder in options.folders:
        found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in suffixes]
        photos |= {str(path): path for path in found if path.stem not in options.skip}
    accepted, looked_at = [], 0
    with pochoir.Session(threads=1) as session:
        for name, source in photos.items():
            colors = imaging.resize(imaging.load(source).rgb, _size(imaging.load(source).size))
            picture = np.ascontiguousarray(colors[0].permute(1, 2, 0).numpy())
            try:
                alpha = _matte(session, Path(name).stem, picture, options.mattes)
            except PochoirError as error:
                print(f"{name}: {error}")
                continue
            looked_at += 1
            for view, (p, a) in {"": (picture, alpha), " mirrored": (picture[:, ::-1], alpha[:, ::-1])}.items():
                verdict = find_person(np.ascontiguousarray(p), np.ascontiguousarray(a))
                text = verdict.reason if isinstance(verdict, Doubt) else "ACCEPTED"
                if text == "ACCEPTED":
                    accepted.append(name + view)
                print(f"{name}{view}: {text}", flush=True)
    print(f"\n{len(accepted)} of {2 * looked_at} views of {looked_at} photos accepted: {', '.join(accepted) or 'none'}")


def _size(size: pochoir.Size) -> pochoir.Size:
    return size.fit_long_side(LONG_SIDE_PX) if size.long_side > LONG_SIDE_PX else size


def _matte(session: pochoir.Session, name: str, picture: np.ndarray, folder: Path | None) -> np.ndarray:
    path = None if folder is None else next(folder.glob(f"{name}.*"), None)
    if path is None:
        found = session.segment(np.rint(picture * 255).astype(np.uint8))
        return found.matte[0, 0].numpy()
    given = imaging.load(path).rgb[0, 0].numpy()
    return cv2.resize(given, picture.shape[1::-1], interpolation=cv2.INTER_AREA).astype(np.float32)


if __name__ == "__main__":
    main()
