"""Scores and contact sheets of real photographs with known alpha; run by ``mattes.py --photos DIR``.

DIR holds ``photos/NAME.EXT`` and ``alpha/NAME.png``. Every second name by alphabet may be tuned on; the other half is
for checking.
"""

import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import matte_metrics as metrics
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Row = dict[str, Any]

COLUMNS = ("iou", "boundary", "mae", "band_mae", "gradient")
FORMATS = {"iou": "{:.3f}", "boundary": "{:.3f}", "mae": "{:.4f}", "band_mae": "{:.3f}", "gradient": "{:.2f}"}
MOST_LOSS = 0.02
"""Boundary IoU that a picture may lose against the network's own map."""
TILE_PX = 420
WORST = 6


def find_photos(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return photo and alpha by name, in the order of the alphabet."""
    photos = {path.stem: path for path in sorted((folder / "photos").iterdir())}
    pairs = {name: (path, folder / "alpha" / f"{name}.png") for name, path in photos.items()}
    missing = [name for name, (_, alpha) in pairs.items() if not alpha.is_file()]
    if missing or not pairs:
        raise SystemExit(f"{folder} needs photos/NAME.jpg and alpha/NAME.png; without alpha: {missing or 'all'}.")
    return pairs


def choose_half(names: list[str], half: str) -> list[str]:
    return {"tune": names[0::2], "held-out": names[1::2], "all": names}[half]


def read_pair(photo: Path, alpha: Path) -> tuple[Pixels, metrics.Matte]:
    pixels = np.asarray(Image.open(photo).convert("RGB"))
    return pixels, np.asarray(Image.open(alpha).convert("L"), np.float32) / np.float32(255)


def score(matte: metrics.Matte, truth: metrics.Matte) -> dict[str, float]:
    return {
        "iou": metrics.iou(matte, truth),
        "boundary": metrics.boundary_iou(matte, truth, band=metrics.THIN_BAND, is_frame_outside=False),
        "mae": float(np.abs(matte - truth).mean(dtype=np.float64)),
        "band_mae": metrics.band_mae(matte, truth),
        "gradient": metrics.slope_error(matte, truth),
    }


def print_tables(rows: list[Row]) -> None:
    """Print the means of both halves, every picture, and every loss."""
    names, methods = (list(dict.fromkeys(row[key] for row in rows)) for key in ("scene", "method"))
    for label, chosen in (("all", names), ("tune", names[0::2]), ("check", names[1::2])):
        print(f"\n{label}, {len(chosen)} photographs: {' '.join(COLUMNS)}")
        for method in methods:
            own = [row for row in rows if row["method"] == method and row["scene"] in chosen]
            means = {column: statistics.mean(row[column] for row in own) for column in (*COLUMNS, "seconds")}
            print(f"{method:14} {format_row(means)}  {means['seconds']:6.2f} s")
    print(f"\n{'each picture: IoU boundary gradient':36}" + "".join(f"{method:>20}" for method in methods))
    table = {(row["scene"], row["method"]): row for row in rows}
    for name in names:
        cells = (table[name, method] for method in methods)
        print(f"{name:36}" + "".join(f"{r['iou']:9.3f} {r['boundary']:.3f} {r['gradient']:4.1f}" for r in cells))
    print_losses(table, names, methods)


def print_losses(table: Mapping[tuple[str, str], Row], names: list[str], methods: list[str]) -> None:
    """Print the pictures on which a method is worse than what it is compared with, the worst first."""
    for method, base in (("fast", "none"), ("best", "none"), ("fast", "rembg"), ("best", "rembg -a")):
        pair = f"pochoir {method}", base if base in methods else f"pochoir {base}"
        if not set(pair) <= set(methods):
            continue
        for column, sign in (("iou", 1), ("boundary", 1), ("gradient", -1)):
            gains = {name: sign * (table[name, pair[0]][column] - table[name, pair[1]][column]) for name in names}
            losses = {name: gain for name, gain in sorted(gains.items(), key=lambda x: x[1]) if gain < 0}
            listed = ", ".join(f"{name} {gain:+.4f}" for name, gain in losses.items()) or "none"
            print(f"{column} that {pair[0]} loses against {pair[1]}: {listed}")
            if (column, base) == ("boundary", "none"):
                kept = "MISSED" if any(gain < -MOST_LOSS for gain in losses.values()) else "kept"
                print(f"  {kept}: no picture loses more than {MOST_LOSS}")


def format_row(row: Mapping[str, float]) -> str:
    return " ".join(FORMATS[column].format(row[column]) for column in COLUMNS)


def write_sheet(
    path: Path, rows: list[Row], cutouts: Mapping[tuple[str, str], Pixels], photos: Mapping[str, Pixels]
) -> None:
    """Write a sheet of the pictures whose best matte is furthest from the truth, each method on green."""
    best = [row for row in rows if row["method"] == "pochoir best"]
    worst = [row["scene"] for row in sorted(best, key=lambda row: row["boundary"])[:WORST]]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = []
    for name in worst:
        tiles = [_tile(photos[name], name)]
        for method in methods:
            cutout = cutouts[name, method].astype(np.float32)
            alpha = cutout[..., 3:] / 255
            shown = cutout[..., :3] * alpha + np.array([0, 180, 25], np.float32) * (1 - alpha)
            tiles.append(_tile(shown.astype(np.uint8), method))
        lines.append(np.concatenate(tiles, axis=1))
    Image.fromarray(np.concatenate(lines)).save(path)


def _tile(picture: Pixels, label: str) -> Pixels:
    factor = TILE_PX / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)[:TILE_PX, :TILE_PX]
    tile = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    cv2.putText(tile, label, (6, TILE_PX - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2, cv2.LINE_AA)
    return tile


def measure_photos(
    folder: Path,
    half: str,
    methods: Mapping[str, Callable[[Pixels], tuple[Pixels, dict[str, float]]]],
    sheet: Path | None,
) -> list[Row]:
    """Cut every photo out by every method, print the tables, and write the sheet."""
    pairs = find_photos(folder)
    rows: list[Row] = []
    cutouts: dict[tuple[str, str], Pixels] = {}
    photos: dict[str, Pixels] = {}
    for name in choose_half(list(pairs), half):
        photo, truth = read_pair(*pairs[name])
        for method, run in methods.items():
            cutout, times = run(photo)
            row: Row = {
                "scene": name,
                "method": method,
                **score(cutout[..., 3].astype(np.float32) / np.float32(255), truth),
                **times,
            }
            rows.append(row)
            print(f"{name:20} {method:14} {format_row(row)}", flush=True)
            if sheet is not None:
                cutouts[name, method], photos[name] = cutout, photo
    print_tables(rows)
    if sheet is not None:
        write_sheet(sheet, rows, cutouts, photos)
    return rows
