"""Drawn frames with known motion, and a video of frames in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from pochoir._types import Size
from pochoir.video.read import VideoFrame

HEIGHT, WIDTH = 48, 72


def texture(seed: int, height: int, width: int) -> np.ndarray:
    """Smooth random colours with detail at several sizes, shape (H, W, 3), uint8."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for cell, amount in ((3, 0.35), (7, 0.6), (19, 1.0)):
        small = rng.random((height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        total += amount * cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(total / 1.95 * 255, 0, 255).astype(np.uint8)


def pan(count: int, step_px: int = 2, seed: int = 0) -> list[np.ndarray]:
    """A camera that moves right over a texture by whole pixels: what is at x moves to x - step."""
    wide = texture(seed, HEIGHT, WIDTH + step_px * count)
    return [wide[:, at * step_px : at * step_px + WIDTH].copy() for at in range(count)]


def walk(count: int, step_px: int = 2, noise: float = 0.0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Frames and mattes of a textured ball that moves right before a still camera."""
    ground, ball = texture(1, HEIGHT, WIDTH), texture(2, 20, 20)
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:20, :20] - 9.5
    shape = np.clip(10 - np.hypot(x, y), 0, 1).astype(np.float32)
    frames, mattes = [], []
    for at in range(count):
        left, matte = 8 + step_px * at, np.zeros((HEIGHT, WIDTH), np.float32)
        matte[14:34, left : left + 20] = shape
        front = np.zeros_like(ground)
        front[14:34, left : left + 20] = 255 - ball
        mixed = ground * (1 - matte[..., None]) + front * matte[..., None]
        frames.append(np.clip(np.rint(mixed + rng.normal(0, noise, mixed.shape)), 0, 255).astype(np.uint8))
        mattes.append(np.rint(matte * 255).astype(np.uint8))
    return frames, mattes


@dataclass(frozen=True)
class Info:
    size: Size
    frames: int
    fps: Fraction = Fraction(25)
    duration_s: float = 0.0


class ListVideo:
    """A video whose frames are in memory, at 25 frames a second; counts how many are read."""

    path = "drawn"
    notes: tuple[str, ...] = ()

    def __init__(self, frames: Sequence[np.ndarray]) -> None:
        self.rgb = frames
        self.info = Info(Size(*frames[0].shape[:2]), len(frames), duration_s=len(frames) / 25)
        self.reads: list[int] = []

    def frames(self, start_s=0.0, end_s=None, size: Size | None = None) -> Iterator[VideoFrame]:
        for at in range(len(self.rgb)):
            if at / 25 >= start_s and (end_s is None or at / 25 < end_s):
                yield self._show(at, size)

    def frame(self, index: int, size: Size | None = None) -> VideoFrame:
        self.reads.append(index)
        return self._show(index, size)

    def _show(self, at: int, size: Size | None) -> VideoFrame:
        rgb = self.rgb[at]
        if size is not None and size != self.info.size:
            rgb = cv2.resize(rgb, (size.width, size.height), interpolation=cv2.INTER_AREA)
        return VideoFrame(at, Fraction(at, 25), Fraction(1, 25), rgb)
