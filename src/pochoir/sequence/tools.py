"""Networks that a video is painted with, and the environment that they make."""

from dataclasses import dataclass

import torch

from pochoir import weights
from pochoir._devices import resolve_device
from pochoir._hashing import hash_large_file
from pochoir.encoders import VGG, expected_engine
from pochoir.loading import OpenEncoder, describe_environment, open_encoder
from pochoir.recipe import Environment, Recipe
from pochoir.scene import SegmenterFactory
from pochoir.segmentation import Segmenter, weights_of


@dataclass(frozen=True, eq=False)
class Tools:
    """Networks that a video is painted with, where they are not loaded anew.

    Attributes:
        encoder: Network of the user's own.
        segmenter: Object of the user's own that finds the subject.
        open_encoder: Lends the recipe's encoder.
        create_segmenter: Returns the recipe's segmenter; None loads it.
    """

    encoder: VGG | None = None
    segmenter: Segmenter | None = None
    open_encoder: OpenEncoder = open_encoder
    create_segmenter: SegmenterFactory | None = None


def describe_film_environment(recipe: Recipe, tools: Tools, *, threads: int, engine: str) -> Environment:
    """Return the environment of a film; one that is not painted needs no encoder.

    Args:
        recipe: The settings.
        tools: The networks.
        threads: Number of CPU threads.
        engine: As ``Painting`` takes it.

    Raises:
        WeightsMissingError: Weights are not in the cache.
    """
    device, own = resolve_device(recipe.device), tools.encoder
    if recipe.paints_subject or recipe.paints_background:
        used = own.engine if own is not None else "torch" if engine == "torch" else expected_engine(device)
        return describe_environment(
            recipe,
            device=device,
            threads=threads,
            engine=used,
            own_encoder=own is not None,
            own_segmenter=tools.segmenter is not None,
        )
    names = [] if tools.segmenter is not None else weights_of(recipe)
    return Environment(
        torch=str(torch.__version__),
        weights={name: hash_large_file(weights.where(name)) for name in names},
        device=device,
        threads=threads,
    )
