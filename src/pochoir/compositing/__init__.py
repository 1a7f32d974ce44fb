"""Compositing and separating layers without a rim of the wrong colours; framing and shadows of cutouts."""

from pochoir.compositing.framing import Framing, frame
from pochoir.compositing.layers import (
    Layers,
    alpha_over,
    composite,
    cutout,
    estimate_foreground,
    estimate_layers,
)
from pochoir.compositing.shadows import contact_shadow, lay_shadow

__all__ = [
    "Framing",
    "Layers",
    "alpha_over",
    "composite",
    "contact_shadow",
    "cutout",
    "estimate_foreground",
    "estimate_layers",
    "frame",
    "lay_shadow",
]
