"""Loading of encoders for paintings, and the environment that a painting runs in."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import torch

from pochoir import enlarge, faces, weights
from pochoir._hashing import hash_large_file
from pochoir.encoders import VGG, load_encoder
from pochoir.recipe import Environment, Recipe
from pochoir.segmentation import weights_of
from pochoir.transfer import StyleTargets


@dataclass(frozen=True, eq=False)
class LoadedEncoder:
    """An encoder that is ready to use, and the cache of its style targets.

    Attributes:
        encoder: The network.
        targets: Gram matrices from earlier paintings with this network; None keeps nothing.
    """

    encoder: VGG
    targets: StyleTargets | None = None


OpenEncoder: TypeAlias = Callable[[Recipe, str, str], AbstractContextManager[LoadedEncoder]]
"""Lends the encoder for a recipe, a device and an engine while a painting needs it."""


def load_recipe_encoder(recipe: Recipe, device: str, engine: str) -> VGG:
    """Load the recipe's encoder from its weights; see ``load_encoder``."""
    return load_encoder(recipe.encoder, pooling=recipe.pooling, device=device, engine=engine, may_round=True)


def open_encoder(recipe: Recipe, device: str, engine: str) -> AbstractContextManager[LoadedEncoder]:
    """Load the recipe's encoder for one painting; its memory is freed when the painting ends."""
    return nullcontext(LoadedEncoder(load_recipe_encoder(recipe, device, engine)))


def describe_environment(
    recipe: Recipe,
    *,
    device: str,
    threads: int,
    engine: str = "torch",
    own_encoder: bool = False,
    own_segmenter: bool = False,
    keeps_faces: bool | None = None,
) -> Environment:
    """Return the environment that a recipe is painted in on this machine.

    Args:
        recipe: The settings. They decide which weights take part, before any picture is read.
        device: Device to paint on.
        threads: Number of CPU threads.
        engine: See ``Environment``.
        own_encoder: True if a network of the user's own replaces the recipe's encoder.
        own_segmenter: True if an object of the user's own replaces the recipe's segmenter.
        keeps_faces: Whether faces are kept; None decides as ``Scene`` does.

    Raises:
        WeightsMissingError: The encoder's weights are not in the cache.
    """
    used: list[str] = [] if own_encoder else [recipe.encoder]
    if recipe.needs_matte and not recipe.mask and not own_segmenter:
        used += weights_of(recipe)
    if recipe.enlarge > 1:
        used.append(enlarge.WEIGHTS)
    if keeps_faces if keeps_faces is not None else faces.choose_mode(recipe) == "on":
        used.append(faces.WEIGHTS)
    if recipe.commercial_safe:
        for name in used:
            weights.check_terms(name)
    return Environment(
        torch=torch.__version__,
        weights={name: hash_large_file(weights.where(name)) for name in used},
        device=device,
        threads=threads,
        engine=engine,
    )
