"""Null scores: values of a metric where the answer is known, which show its scale."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from skimage import data

from pochoir import imaging
from pochoir._types import Size
from pochoir.imaging import Matte, Picture
from pochoir.similarity.scoring import Score, Scorer
from pochoir.similarity.views import Exhibit


def score_nulls(
    scorer: Scorer,
    exhibit: Exhibit,
    *,
    style: Picture | None = None,
    another: Picture | None = None,
    seed: int = 0,
) -> Mapping[str, tuple[Score, ...]]:
    """Score a picture with itself, with noise, with a style picture and with another photo.

    The null pictures get the picture's alpha and mask. Any two cutouts of one shape share the backdrop around them,
    and so the nulls share it as well.

    Args:
        scorer: Computes the scores.
        exhibit: The picture whose scores are to be judged, and its mask.
        style: The style picture; None leaves its score out.
        another: Another photo; None takes one that comes with scikit-image.
        seed: Seed of the noise.

    Returns:
        The scores under ``"itself"``, ``"noise"``, ``"style"`` and ``"another photo"``.
    """
    nulls = {"itself": exhibit, "noise": _dress(_noise(exhibit.picture.size, seed), exhibit)}
    if style is not None:
        nulls["style"] = _dress(style, exhibit)
    nulls["another photo"] = _dress(_another(exhibit.picture) if another is None else another, exhibit)
    scores = scorer.score_pairs([(exhibit, null) for null in nulls.values()])
    return dict(zip(nulls, scores, strict=True))


def _noise(size: Size, seed: int) -> Picture:
    values = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return imaging.load(values)


def _another(picture: Picture) -> Picture:
    coffee, cat = (imaging.load(photo()) for photo in (data.coffee, data.chelsea))  # type: ignore[no-untyped-call]
    is_coffee = coffee.size == picture.size and bool((coffee.rgb == picture.rgb).all())
    return cat if is_coffee else coffee


def _dress(null: Picture, like: Exhibit) -> Exhibit:
    """Return a null picture with the alpha and the mask of the picture that it is compared with."""
    alpha, mask = like.picture.alpha, like.mask
    if alpha is not None:
        alpha = imaging.resize(alpha, null.size, mode="bilinear")
        null = dataclasses.replace(null, alpha=alpha, sha256=f"{null.sha256}+{like.picture.sha256}")
    if mask is not None:
        matte = imaging.resize(mask.matte, null.size, mode="bilinear")
        mask = Matte(matte, mask.name, mask.path, mask.sha256)
    return Exhibit(null, mask)
