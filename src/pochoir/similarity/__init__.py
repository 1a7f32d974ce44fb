"""Similarity of two pictures, or of one part of them: by contents, style, structure and colour."""

from pochoir.similarity.cache import FeatureCache
from pochoir.similarity.nulls import score_nulls
from pochoir.similarity.protocol import PARTS, Features, Measure, Metric, View
from pochoir.similarity.registry import NAMES, create_metrics, metric_names
from pochoir.similarity.scoring import DEFAULT_METRICS, Score, Scorer, read_exhibit, score
from pochoir.similarity.views import Exhibit, Framing

__all__ = [
    "DEFAULT_METRICS",
    "NAMES",
    "PARTS",
    "Exhibit",
    "FeatureCache",
    "Features",
    "Framing",
    "Measure",
    "Metric",
    "Score",
    "Scorer",
    "View",
    "create_metrics",
    "metric_names",
    "read_exhibit",
    "score",
    "score_nulls",
]
