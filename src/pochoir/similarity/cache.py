"""Cache of picture descriptions, so that each picture is described once."""

import threading
from collections import OrderedDict

from pochoir.similarity.protocol import Features

DEFAULT_BYTES = 512 * 2**20


class FeatureCache:
    """Cache of the most recently used descriptions. Several threads may use it.

    Args:
        most_bytes: Memory that may be kept; beyond that, the least recently used descriptions are dropped.
    """

    def __init__(self, most_bytes: int = DEFAULT_BYTES) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, str], Features] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, metric: str, view: str) -> Features | None:
        """Return a description by the metric's name and the view's key; None if it is not kept."""
        with self._lock:
            if (metric, view) not in self._kept:
                return None
            self._kept.move_to_end((metric, view))
            return self._kept[metric, view]

    def put(self, metric: str, view: str, features: Features) -> None:
        """Keep a description."""
        with self._lock:
            self._bytes += _size(features) - _size(self._kept.pop((metric, view), ()))
            self._kept[metric, view] = features
            while self._bytes > self.most_bytes and len(self._kept) > 1:
                self._bytes -= _size(self._kept.popitem(last=False)[1])


def _size(features: Features) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in features)
