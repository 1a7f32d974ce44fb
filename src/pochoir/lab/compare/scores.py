"""Similarity of cut-outs to the photo, the style and the true cut-out, beside nulls that show the scale."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pochoir import compositing, imaging
from pochoir.imaging import Picture
from pochoir.similarity import Exhibit, Scorer

if TYPE_CHECKING:
    from pochoir.lab.compare.cutouts import Comparison

CONTENT, STYLE, TRUTH_CUT = "content", "style", "truth cut"
TARGETS = (CONTENT, STYLE, TRUTH_CUT)
"""Pictures that a cut-out is compared with: the photo, the style, and the same picture cut by the true matte."""
ITSELF, WHOLE, BACKDROP, NOISE, STYLE_INSIDE, STRANGER = (
    "the target itself",
    "whole picture",
    "backdrop alone",
    "noise in the outline",
    "style in the outline",
    "another photo in the outline",
)
NULLS = (ITSELF, WHOLE, BACKDROP, NOISE, STYLE_INSIDE, STRANGER)
"""Pictures that are scored in a cut-out's place, so that a reader sees what a score is worth.

Those in the outline share the backdrop with every cut-out, which already counts as similarity.
"""
_STYLE_METRICS = ("gram", "color")
_ANY_TARGET_METRICS = ("clip",)


@dataclass(frozen=True)
class ScoreRow:
    """Similarity of one cut-out to one target.

    Attributes:
        photo: Name of the photo.
        method: One of ``METHODS``, or one of ``NULLS``.
        seen: Picture in which the matte was found, ``"photo"`` or ``"pastiche"``; empty for a null.
        cut: Picture that was cut.
        target: One of ``TARGETS``.
        metric: Name of the metric.
        value: Score on the run's backdrop.
        elsewhere: Scores on other backdrops; empty where no backdrop shows.
    """

    photo: str
    method: str
    seen: str
    cut: str
    target: str
    metric: str
    value: float
    elsewhere: Mapping[str, float] = field(default_factory=dict)


def targets_of(metric: str) -> tuple[str, ...]:
    """Return the targets that a metric can judge.

    ``gram`` and ``color`` compare style. The other metrics compare content: ``vgg`` removes style by design, and LPIPS
    and DISTS compare place by place. CLIP is used for all targets, as in the student's report.
    """
    family = metric.partition(":")[0]
    if family in _ANY_TARGET_METRICS:
        return TARGETS
    return (STYLE,) if family in _STYLE_METRICS else (CONTENT, TRUTH_CUT)


def iter_scores(
    comparison: "Comparison", scorer: Scorer, *, style: Picture | None = None, stranger: Picture | None = None
) -> Iterator[list[ScoreRow]]:
    """Score one photo's cut-outs, and the nulls. Failed mattes have no cut-out and no score.

    Args:
        comparison: Of ``compare_subject``.
        scorer: Its backdrop stands behind every cut-out.
        style: The style picture; without it there are no scores against a style.
        stranger: Another photo, for the null scores.

    Yields:
        Rows of one target and one picture that was cut.
    """
    subject = comparison.subject
    outline = next(iter(comparison.found["photo"].values())).matte if subject.truth is None else subject.truth
    for cut, picture in comparison.pictures.items():
        own = [(method, seen, shown) for (method, seen, what), shown in comparison.cuts.items() if what == cut]
        entries = [_Entry(*entry) for entry in own if entry[0] != "truth"]
        entries += _null_entries(picture, outline, style, stranger)
        targets = {CONTENT: subject.photo, STYLE: style, TRUTH_CUT: comparison.cuts.get(("truth", "", cut))}
        for target, shown in targets.items():
            if shown is not None:
                yield list(_score(subject.name, cut, entries, target, shown, scorer))


def count_steps(comparison: "Comparison", style: Picture | None) -> int:
    """Return the number of steps of ``iter_scores``."""
    return len(comparison.pictures) * (1 + (style is not None) + (comparison.subject.truth is not None))


def cut_out(picture: Picture, matte: Tensor) -> Picture:
    """Return the subject on a transparent ground, without the old background's colours at its edges.

    Args:
        picture: The picture.
        matte: Shape (1, 1, H, W), in [0, 1], at the picture's size.
    """
    rgba = compositing.cutout(picture.rgb, matte)
    return imaging.load(rgba[0].permute(1, 2, 0).contiguous().numpy())  # (H, W, 4)


@dataclass(frozen=True, eq=False)
class _Entry:
    """A picture to score, and the labels of its row."""

    method: str
    seen: str
    picture: Picture


def _score(
    photo: str, cut: str, entries: Sequence[_Entry], target: str, shown: Picture, scorer: Scorer
) -> Iterator[ScoreRow]:
    own = [*entries, _Entry(ITSELF, "", shown)]
    scored = scorer.score_pairs((Exhibit(entry.picture), Exhibit(shown)) for entry in own)
    for entry, scores in zip(own, scored, strict=True):
        for score in scores:
            if target in targets_of(score.metric):
                elsewhere = dict(score.backdrops)
                yield ScoreRow(photo, entry.method, entry.seen, cut, target, score.metric, score.value, elsewhere)


def _null_entries(picture: Picture, outline: Tensor, style: Picture | None, stranger: Picture | None) -> list[_Entry]:
    noise = imaging.load(np.random.default_rng(0).integers(0, 256, (*picture.size, 3), dtype=np.uint8))
    filled = {NOISE: noise, STYLE_INSIDE: style, STRANGER: stranger}
    nulls = {WHOLE: picture, BACKDROP: cut_out(picture, torch.zeros_like(outline))}
    for name, filling in filled.items():
        if filling is not None:
            resized = replace(filling, rgb=imaging.resize(filling.rgb, picture.size))
            nulls[name] = cut_out(resized, outline)
    return [_Entry(name, "", null) for name, null in nulls.items()]
