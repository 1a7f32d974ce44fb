"""Measures of painted films: steadiness along the input's motion, style, sharpness, content and drift.

Errors are mean squared differences of colours in [0, 1], times 1000, between a frame and a later one warped onto it by
Lanczos. Linear sampling blurs the warped frame, up to half a pixel, and so counts the sharpness of a painting as
unsteadiness: ``moved_error`` gives the error that remains in a film that moves along exactly this flow.
The flow is that of the input, by dense inverse search at twice the size of small frames, or the true one. Pixels count
where it is consistent (Sundaram et al. 2010, as in Ruder et al., arXiv:1604.08610, section 4.1), which is stricter than
what the painter itself takes as seen.
"""

from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np
import torch

from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import load_encoder
from pochoir.similarity.protocol import View
from pochoir.similarity.registry import create_metrics

STYLE_PX = 256 * 256
LONG_SIDE_PX = 512


class InputFlow:
    """Flow of the input between any two frames, and the mask of where it counts; kept for all methods."""

    def __init__(self, frames: Sequence[np.ndarray], true: Callable[[int, int], np.ndarray] | None = None) -> None:
        self.frames, self.true = frames, true
        self._search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._grays: dict[int, np.ndarray] = {}
        self.pair = cache(self._pair)

    def flow(self, i: int, j: int) -> np.ndarray:
        if self.true is not None:
            return self.true(i, j)
        height, width = self.frames[i].shape[:2]
        found = self._search.calc(self._gray(i), self._gray(j), None)
        scale = np.array([width / found.shape[1], height / found.shape[0]], np.float32)
        return (cv2.resize(found, (width, height), interpolation=cv2.INTER_AREA) * scale).astype(np.float32)

    def _gray(self, i: int) -> np.ndarray:
        if i not in self._grays:
            gray = cv2.cvtColor(self.frames[i], cv2.COLOR_RGB2GRAY)
            factor = min(2.0, LONG_SIDE_PX / max(gray.shape))
            self._grays[i] = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        return self._grays[i]

    def _pair(self, i: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        there, back = self.flow(i, j), self.flow(j, i)
        return there, consistent(there, back)


def consistent(there: np.ndarray, back: np.ndarray) -> np.ndarray:
    returned = sample(back, there)
    squares = (there**2).sum(-1) + (returned**2).sum(-1)
    good = ((there + returned) ** 2).sum(-1) <= 0.01 * squares + 0.5
    height, width = there.shape[:2]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    x, y = x + there[..., 0], y + there[..., 1]
    good &= (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    slope = sum(np.gradient(there[..., channel], axis=axis) ** 2 for channel in (0, 1) for axis in (0, 1))
    good &= slope <= 0.01 * (there**2).sum(-1) + 0.002
    return good.astype(np.float32)


def sample(picture: np.ndarray, flow: np.ndarray, interpolation: int = cv2.INTER_LINEAR) -> np.ndarray:
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(picture, x + flow[..., 0], y + flow[..., 1], interpolation, borderMode=cv2.BORDER_REPLICATE)


def warp_error(film: Sequence[np.ndarray], flow: InputFlow, gap: int, interpolation: int = cv2.INTER_LANCZOS4) -> float:
    """Mean over the frames; every second one for long gaps."""
    if len(film) <= gap:
        return float("nan")
    return 1000 * float(
        np.mean(
            [
                difference(film[at], film[at + gap], *flow.pair(at, at + gap), interpolation)
                for at in range(0, len(film) - gap, 1 if gap == 1 else 2)
            ]
        )
    )


def moved_error(film: Sequence[np.ndarray], flow: InputFlow, interpolation: int = cv2.INTER_LANCZOS4) -> float:
    """Mean error if each next frame were the frame before, moved along exactly the flow that errors are measured by."""
    moved = [
        np.clip(sample(film[at].astype(np.float32), flow.flow(at + 1, at), cv2.INTER_LANCZOS4), 0, 255)
        for at in range(len(film) - 1)
    ]
    pairs = [difference(film[at], each, *flow.pair(at, at + 1), interpolation) for at, each in enumerate(moved)]
    return 1000 * float(np.mean(pairs))


def difference(
    frame: np.ndarray, later: np.ndarray, there: np.ndarray, counts: np.ndarray, interpolation: int
) -> float:
    warped = np.clip(sample(later.astype(np.float32) / 255, there, interpolation), 0, 1)
    squares = ((warped - frame.astype(np.float32) / 255) ** 2).mean(-1)
    return float((counts * squares).sum() / max(counts.sum(), 1))


def laplacian(frame: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())


def mean_lab(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3).mean(0)


class Judge:
    """Distances to styles and contents, as ``pochoir compare`` measures them."""

    def __init__(self) -> None:
        encoder = load_encoder("vgg19", pooling="max", device="cpu", may_round=True)
        self._metrics = {each.name: each for each in create_metrics(["gram", "content"], encoder=encoder)}
        self._styles: dict[int, object] = {}

    def style(self, frame: np.ndarray, styles: Sequence[np.ndarray], matte: np.ndarray | None = None) -> float:
        """Mean distance of the regions to their styles, the subject's first."""
        mattes = [None] if matte is None else [matte / 255.0, 1 - matte / 255.0]
        metric, values = self._metrics["gram"], []
        for style, part in zip(styles, mattes, strict=True):
            if part is not None and part.mean() < 0.01:
                continue
            known = self._styles.setdefault(id(style), metric.describe([_view(style)])[0])
            values.append(metric.compare(metric.describe([_view(frame, part)])[0], known).value)
        return float(np.mean(values))

    def content(self, frame: np.ndarray, photo: np.ndarray) -> float:
        metric = self._metrics["content"]
        return float(metric.compare(metric.describe([_view(frame)])[0], metric.describe([_view(photo)])[0]).value)


def _view(frame: np.ndarray, weight: np.ndarray | None = None) -> View:
    size = Size(*frame.shape[:2])
    small = size.scaled((STYLE_PX / size.pixels) ** 0.5)
    picture = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float() / 255
    mask = None if weight is None else torch.from_numpy(np.asarray(weight, np.float32))[None, None]
    return View(
        imaging.resize(picture, small), None if mask is None else imaging.resize(mask, small, mode="bilinear"), ""
    )


def matte_steadiness(mattes: Sequence[np.ndarray], flow: InputFlow) -> float:
    """Lowest intersection over union of a matte and its warped neighbour."""
    worst = 1.0
    for at in range(len(mattes) - 1):
        there, counts = flow.pair(at, at + 1)
        one, other = (mattes[at] / 255.0).astype(np.float32), sample((mattes[at + 1] / 255.0).astype(np.float32), there)
        both, either = (np.minimum(one, other) * counts).sum(), (np.maximum(one, other) * counts).sum()
        if either > 0:
            worst = min(worst, float(both / either))
    return worst
