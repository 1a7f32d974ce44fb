"""Subjects found in a photo and in its pastiche, cut from either, and judged by the truth.

The student report that pochoir follows scored cut-outs of one picture, one on white and one on black. Here every
cut-out of a run stands on one backdrop, and the effect of another backdrop on each score is measured.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from pochoir.imaging import Picture
from pochoir.lab.compare.inputs import Subject
from pochoir.lab.compare.methods import MethodRunner
from pochoir.lab.compare.scores import ScoreRow, cut_out
from pochoir.lab.truth import TruthScores, mask_iou, score_matte
from pochoir.segmentation import Segmentation
from pochoir.segmentation.protocol import SUBJECT_THRESHOLD

PHOTO, PASTICHE, TRUTH = "photo", "pastiche", "truth"
LEAST_SHARE, MOST_SHARE = 0.001, 0.995
"""Shares of the picture between which a matte counts as a cut-out; below it is empty, above it is full."""


@dataclass(frozen=True)
class TruthRow:
    """Measures of one matte against the truth."""

    photo: str
    method: str
    seen: str
    scores: TruthScores


@dataclass(frozen=True)
class AgreementRow:
    """Agreement of two mattes of one photo: IoU of the pixels above one half."""

    photo: str
    one: str
    one_seen: str
    other: str
    other_seen: str
    iou: float


@dataclass(frozen=True)
class FailureRow:
    """A matte that is no cut-out.

    Attributes:
        photo: Name of the photo.
        method: One of ``METHODS``.
        seen: Picture in which the subject was looked for.
        kind: ``"empty"`` or ``"full"``.
    """

    photo: str
    method: str
    seen: str
    kind: str


@dataclass(frozen=True, eq=False)
class Comparison:
    """Results for one photo.

    Attributes:
        subject: The photo.
        pictures: The photo and, if it was painted, its pastiche, by ``"photo"`` and ``"pastiche"``.
        found: Segmentations by the picture and the method.
        cuts: Cut-outs by the method (or ``TRUTH``), the picture in which the matte was found (empty for the truth),
            and the picture that was cut. Failed mattes have none.
        failures: Mattes that are empty or full.
        scores: Rows of the similarity table, nulls included; empty until they are measured.
        truths: Rows of the table against the truth; empty without one.
        agreements: IoU of every pair of mattes.
    """

    subject: Subject
    pictures: Mapping[str, Picture]
    found: Mapping[str, Mapping[str, Segmentation]]
    cuts: Mapping[tuple[str, str, str], Picture]
    failures: Sequence[FailureRow]
    scores: Sequence[ScoreRow]
    truths: Sequence[TruthRow]
    agreements: Sequence[AgreementRow]

    @property
    def notes(self) -> tuple[str, ...]:
        """Conversions, and mattes that could not be found."""
        notes = [
            f"{self.subject.name}, {method} on the {seen}: {note}"
            for seen, by_method in self.found.items()
            for method, item in by_method.items()
            for note in item.notes
        ]
        return (*self.subject.notes, *notes)


def compare_subject(subject: Subject, methods: MethodRunner, *, pastiche: Picture | None = None) -> Comparison:
    """Find one photo's subject by all methods and cut it out; ``iter_scores`` scores the cut-outs.

    Args:
        subject: The photo, and what is known about it.
        methods: The methods.
        pastiche: The painted photo, at the photo's size; subjects are found in it and cut from it, too.
    """
    pictures = {PHOTO: subject.photo} | ({} if pastiche is None else {PASTICHE: pastiche})
    found = {seen: methods.segment(picture.rgb, box=subject.box) for seen, picture in pictures.items()}
    failures = [
        FailureRow(subject.name, method, seen, kind)
        for seen, by_method in found.items()
        for method, item in by_method.items()
        if (kind := failure_kind(item.matte))
    ]
    return Comparison(
        subject=subject,
        pictures=pictures,
        found=found,
        cuts=_cut_all(subject, pictures, found, failures),
        failures=failures,
        scores=(),
        truths=[
            TruthRow(subject.name, method, seen, score_matte(item.matte, subject.truth))
            for seen, by_method in found.items()
            for method, item in by_method.items()
            if subject.truth is not None
        ],
        agreements=list(_agree(subject.name, found)),
    )


def failure_kind(matte: Tensor) -> str:
    """Return ``"empty"`` or ``"full"`` for a matte that is no cut-out, else an empty text.

    Args:
        matte: Shape (1, 1, H, W), in [0, 1].
    """
    share = float((matte > SUBJECT_THRESHOLD).float().mean())
    if share < LEAST_SHARE:
        return "empty"
    return "full" if share > MOST_SHARE else ""


def _cut_all(
    subject: Subject,
    pictures: Mapping[str, Picture],
    found: Mapping[str, Mapping[str, Segmentation]],
    failures: Sequence[FailureRow],
) -> dict[tuple[str, str, str], Picture]:
    failed = {(row.method, row.seen) for row in failures}
    mattes = {
        (method, seen): item.matte
        for seen, by_method in found.items()
        for method, item in by_method.items()
        if (method, seen) not in failed
    }
    if subject.truth is not None:
        mattes[TRUTH, ""] = subject.truth
    return {
        (method, seen, cut): cut_out(picture, matte)
        for (method, seen), matte in mattes.items()
        for cut, picture in pictures.items()
    }


def _agree(name: str, found: Mapping[str, Mapping[str, Segmentation]]) -> Iterator[AgreementRow]:
    mattes = [(method, seen, item.matte) for seen, by in found.items() for method, item in by.items()]
    for (one, one_seen, first), (other, other_seen, second) in itertools.combinations(mattes, 2):
        yield AgreementRow(name, one, one_seen, other, other_seen, mask_iou(first, second))
