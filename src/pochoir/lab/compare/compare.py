"""U2-Net against GrabCut: subjects found in a photo and in its pastiche, cut from either, and scored.

The student report that pochoir follows scored cut-outs of one picture, one on white and one on black. Here every
cut-out of a run stands on one backdrop, and how far another one would move each score is kept beside it.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pochoir import compositing, imaging, pipeline
from pochoir.encoders import VGG
from pochoir.errors import InputError
from pochoir.imaging import Picture
from pochoir.lab.compare.inputs import Subject
from pochoir.lab.compare.methods import BASELINE, Finders
from pochoir.lab.truth import TruthScores, mask_iou, score_matte
from pochoir.painting import Painting
from pochoir.recipe import Recipe
from pochoir.segmentation import Segmentation
from pochoir.similarity import Exhibit, Scorer
from pochoir.transfer import Step

PHOTO, PASTICHE, TRUTH = "photo", "pastiche", "truth"
TARGETS = ("content", "style", "truth cut")
"""What a cut-out is compared with: the photo, the style picture, and the same picture cut by the true matte."""
NULLS = (
    "the target itself",
    "whole picture",
    "backdrop alone",
    "noise in the outline",
    "style in the outline",
    "another photo in the outline",
)
"""Pictures that are scored in a cut-out's place, so that a reader sees what a score is worth.

Those in the outline share with every cut-out that they stand on the backdrop, which already counts as likeness.
"""


@dataclass(frozen=True)
class ScoreRow:
    """How like one cut-out is to one target.

    Attributes:
        photo: The photo's name.
        method: One of ``METHODS``; or one of ``NULLS``.
        seen: Where the matte was found: ``"photo"`` or ``"pastiche"``; empty for a null.
        cut: What was cut: ``"photo"`` or ``"pastiche"``.
        target: One of ``TARGETS``.
        metric: The metric's name.
        value: Its number on the run's backdrop.
        elsewhere: The same on other backdrops; empty where no backdrop is seen.
    """

    photo: str
    method: str
    seen: str
    cut: str
    target: str
    metric: str
    value: float
    elsewhere: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TruthRow:
    """How far one matte is from the truth."""

    photo: str
    method: str
    seen: str
    scores: TruthScores


@dataclass(frozen=True)
class AgreementRow:
    """How far two mattes of one photo agree: IoU of what is above one half."""

    photo: str
    one: str
    one_seen: str
    other: str
    other_seen: str
    iou: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """What came out for one photo.

    Attributes:
        subject: The photo.
        pictures: The photo and, where there is one, its pastiche, by ``"photo"`` and ``"pastiche"``.
        found: What each method found in each picture.
        cuts: The cut-outs, by the method (or ``TRUTH``), where the matte was found (empty for the truth), and what
            was cut.
        scores: Rows of the similarity table, nulls and all; empty until they are made.
        truths: Rows of the table against the truth; empty without one.
        agreements: IoU of every pair of mattes.
    """

    subject: Subject
    pictures: Mapping[str, Picture]
    found: Mapping[str, Mapping[str, Segmentation]]
    cuts: Mapping[tuple[str, str, str], Picture]
    scores: Sequence[ScoreRow]
    truths: Sequence[TruthRow]
    agreements: Sequence[AgreementRow]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was converted, or not found."""
        told = [
            f"{self.subject.name}, {method} on the {seen}: {note}"
            for seen, by_method in self.found.items()
            for method, item in by_method.items()
            for note in item.notes
        ]
        return (*self.subject.notes, *told)


def iter_pastiche(subject: Subject, recipe: Recipe, path: Path, *, encoder: VGG | None = None) -> Iterator[Step]:
    """Paint a photo and save the picture with its record; nothing is done if it is there and the record is the same.

    Args:
        subject: The photo.
        recipe: How to paint it; its size is overruled by the photo's.
        path: Where to, a ``.png``.
        encoder: Replaces the recipe's encoder.

    Yields:
        The painting's steps.
    """
    recipe = recipe.replace(size=subject.photo.size.long_side)
    painting = pipeline.iter_stylize(subject.photo, recipe, encoder=encoder)
    if is_painted(path, painting):
        return
    yield from painting
    painting.result().save(path)


def is_painted(path: Path, painting: Painting) -> bool:
    """Whether a file holds what a painting would make, by its record."""
    try:
        return imaging.read_record(path) == painting.result().record()
    except InputError:  # not there, or not one of ours
        return False


def compare_subject(subject: Subject, finders: Finders, *, pastiche: Picture | None = None) -> Comparison:
    """Find one photo's subject by all methods and cut it out; the scores are left to ``iter_scores``.

    Args:
        subject: The photo, and what is known about it.
        finders: The methods.
        pastiche: The photo repainted, at the photo's size; subjects are found in it and cut from it, too.
    """
    pictures = {PHOTO: subject.photo} | ({} if pastiche is None else {PASTICHE: pastiche})
    found = {seen: finders.find(picture.rgb, box=subject.box) for seen, picture in pictures.items()}
    return Comparison(
        subject=subject,
        pictures=pictures,
        found=found,
        cuts=_cut_all(subject, pictures, found),
        scores=(),
        truths=[
            TruthRow(subject.name, method, seen, score_matte(item.matte, subject.truth))
            for seen, by_method in found.items()
            for method, item in by_method.items()
            if subject.truth is not None
        ],
        agreements=list(_agree(subject.name, found)),
    )


def iter_scores(
    comparison: Comparison, scorer: Scorer, *, style: Picture | None = None, stranger: Picture | None = None
) -> Iterator[list[ScoreRow]]:
    """Score one photo's cut-outs, and the nulls.

    Args:
        comparison: Of ``compare_subject``.
        scorer: Its backdrop stands behind every cut-out.
        style: The style picture; without it there are no scores against a style.
        stranger: Another photo, for the null scores.

    Yields:
        The rows of one target and one picture that was cut.
    """
    subject = comparison.subject
    outline = comparison.found[PHOTO][BASELINE].matte if subject.truth is None else subject.truth
    for cut, picture in comparison.pictures.items():
        own = [(method, seen, shown) for (method, seen, what), shown in comparison.cuts.items() if what == cut]
        entries = [_Entry(*entry) for entry in own if entry[0] != TRUTH]
        entries += _null_entries(picture, outline, style, stranger)
        targets = {"content": subject.photo, "style": style, "truth cut": comparison.cuts.get((TRUTH, "", cut))}
        for target, shown in targets.items():
            if shown is not None:
                yield list(_score(subject.name, cut, entries, target, shown, scorer))


def cut_out(picture: Picture, matte: Tensor) -> Picture:
    """The subject of a picture on a transparent ground, its edges freed of the old background's colours.

    Args:
        picture: The picture.
        matte: Shape (1, 1, H, W), in [0, 1], at the picture's size.
    """
    rgba = compositing.cutout(picture.rgb, matte)
    return imaging.load(rgba[0].permute(1, 2, 0).contiguous().numpy())  # (H, W, 4)


@dataclass(frozen=True, eq=False)
class _Entry:
    """A picture to be scored, and what its row says of it."""

    method: str
    seen: str
    picture: Picture


def _cut_all(
    subject: Subject, pictures: Mapping[str, Picture], found: Mapping[str, Mapping[str, Segmentation]]
) -> dict[tuple[str, str, str], Picture]:
    mattes = {(method, seen): item.matte for seen, by_method in found.items() for method, item in by_method.items()}
    if subject.truth is not None:
        mattes[TRUTH, ""] = subject.truth
    return {
        (method, seen, cut): cut_out(picture, matte)
        for (method, seen), matte in mattes.items()
        for cut, picture in pictures.items()
    }


def _score(
    photo: str, cut: str, entries: Sequence[_Entry], target: str, shown: Picture, scorer: Scorer
) -> Iterator[ScoreRow]:
    own = [*entries, _Entry(NULLS[0], "", shown)]
    scored = scorer.score_pairs((Exhibit(entry.picture), Exhibit(shown)) for entry in own)
    for entry, scores in zip(own, scored, strict=True):
        for score in scores:
            elsewhere = dict(score.backdrops)
            yield ScoreRow(photo, entry.method, entry.seen, cut, target, score.metric, score.value, elsewhere)


def _null_entries(picture: Picture, outline: Tensor, style: Picture | None, stranger: Picture | None) -> list[_Entry]:
    noise = imaging.load(np.random.default_rng(0).integers(0, 256, (*picture.size, 3), dtype=np.uint8))
    filled = {"noise in the outline": noise, "style in the outline": style, "another photo in the outline": stranger}
    nulls = {"whole picture": picture, "backdrop alone": cut_out(picture, torch.zeros_like(outline))}
    for name, filling in filled.items():
        if filling is not None:
            nulls[name] = cut_out(replace(filling, rgb=imaging.resize(filling.rgb, picture.size)), outline)
    return [_Entry(name, "", null) for name, null in nulls.items()]


def _agree(name: str, found: Mapping[str, Mapping[str, Segmentation]]) -> Iterator[AgreementRow]:
    mattes = [(method, seen, item.matte) for seen, by in found.items() for method, item in by.items()]
    for (one, one_seen, first), (other, other_seen, second) in itertools.combinations(mattes, 2):
        yield AgreementRow(name, one, one_seen, other, other_seen, mask_iou(first, second))
