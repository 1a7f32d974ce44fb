"""Gram matrices that regions are to take on, and a cache that keeps them from one painting to the next."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from torch import Tensor

from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.errors import EmptyRegionError
from pochoir.transfer.features import WHOLE_PX, FeatureTiles
from pochoir.transfer.grams import GuidedGrams
from pochoir.transfer.guidance import build_guides
from pochoir.transfer.pyramid import Sample

DEFAULT_BYTES = 256 << 20
"""Memory that the kept matrices may take. VGG19's five style layers take 2.4 MB for each style and scale."""

Grams: TypeAlias = dict[str, Tensor]
"""For each style layer a Gram matrix, shape (1, C, C), never modified in place."""


@dataclass(eq=False)
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    grams: Grams | None = None


class StyleTargets:
    """Cache of the Gram matrices of style pictures, for one encoder. Several threads may use it.

    Only samples with a ``key`` are kept: the cache cannot tell by itself whether two pictures are equal.

    Args:
        most_bytes: Memory that may be kept. Beyond that, the least recently used matrices are dropped.
    """

    def __init__(self, most_bytes: int = DEFAULT_BYTES) -> None:
        self.most_bytes = most_bytes
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"StyleTargets({len(self)} kept, {self.bytes / 2**20:.1f} of {self.most_bytes / 2**20:.0f} MB)"

    @property
    def bytes(self) -> int:
        """Memory that the kept matrices take, in bytes."""
        with self._lock:
            return self._sum_bytes()

    def find_or_measure(self, key: Hashable, measure: Callable[[], Grams]) -> Grams:
        """Return the matrices of ``key``; measure and keep them if they are not there.

        Threads that ask for the same key wait for the first one, so that nothing is measured twice.

        Args:
            key: Everything that the matrices depend on besides the encoder.
            measure: Computes them.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
        with entry.lock:
            if entry.grams is None:
                entry.grams = measure()
                with self._lock:
                    self._drop_oldest()
            return entry.grams

    def clear(self) -> None:
        """Drop everything that is kept."""
        with self._lock:
            self._entries.clear()

    def _drop_oldest(self) -> None:
        total = self._sum_bytes()
        while total > self.most_bytes and len(self._entries) > 1:
            total -= _count_bytes(self._entries.popitem(last=False)[1])

    def _sum_bytes(self) -> int:
        return sum(_count_bytes(entry) for entry in self._entries.values())


def _count_bytes(entry: _Entry) -> int:
    return sum(matrix.numel() * matrix.element_size() for matrix in (entry.grams or {}).values())


def style_grams(
    styles: Sequence[Sample | tuple[Tensor, float]],
    encoder: VGG,
    layers: Sequence[str],
    *,
    most_px: float = WHOLE_PX,
    largest_px: float = 0.0,
    targets: StyleTargets | None = None,
) -> dict[str, Tensor]:
    """Return the Gram matrices of one style, or the weighted mean of several.

    Blending the targets is the same as adding up the losses to each of them, but for a constant. A mask is a guide of
    the matrices at every layer, as a matte is in the pastiche (Gatys et al., arXiv:1611.07865, section 4).

    Args:
        styles: Pictures of shape (1, 3, H, W) with shares above 0, and with their masks if they have some; sizes may
            differ.
        encoder: The network.
        layers: Style layers.
        most_px: Pixels that the encoder is shown at once.
        largest_px: See ``VGG.forward``.
        targets: Keeps what is measured of samples with a key, and gives what was measured before.

    Returns:
        For each layer a matrix, shape (1, C, C), the mean over those styles whose masks are not too small for it.
        Layers that all masks are too small for are absent.

    Raises:
        EmptyRegionError: A mask is too small for every layer.
    """

    def measure(sample: Sample) -> Grams:
        size = Size(*sample.picture.shape[-2:])
        tiles = FeatureTiles(encoder, layers, size, most_px=most_px, largest_px=largest_px)
        if sample.mask is None:
            guides = tiles.full_guides(sample.picture)
        else:
            guides = _guides_of_style(sample.mask, encoder, layers)
        measured = tiles.measure(sample.picture, GuidedGrams([guides]))[0]
        # Kept matrices would keep the whole block of scratch space that they were cut from.
        return {layer: matrix.clone() for layer, matrix in measured.items()}

    measured: list[tuple[float, dict[str, Tensor]]] = []
    for sample in (Sample(*style) for style in styles):
        if targets is None or not sample.key:
            grams = measure(sample)
        else:
            key = (sample.key, tuple(layers), most_px, largest_px)
            grams = targets.find_or_measure(key, partial(measure, sample))
        measured.append((sample.share, grams))
    blend: dict[str, Tensor] = {}
    for layer in layers:
        known = [(share, grams[layer]) for share, grams in measured if layer in grams]
        total = sum(share for share, _ in known)
        for share, matrix in known:
            blend[layer] = blend.get(layer, 0.0) + matrix * (share / total)
    return blend


def _guides_of_style(mask: Tensor, encoder: VGG, layers: Sequence[str]) -> dict[str, Tensor]:
    try:
        return build_guides(mask, encoder, layers)
    except EmptyRegionError as error:
        raise EmptyRegionError(
            f"A style mask leaves {float(mask.sum()):.1f} pixels of its style at the size to paint at, too few to take "
            "a look from; give a mask with more white, a larger --size or a larger --style-scale."
        ) from error
