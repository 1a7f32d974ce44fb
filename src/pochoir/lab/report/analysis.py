"""Analysis of the report: the planned claims, tested on the measurements."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from pochoir.lab.common.statistics import PairedTest, paired_test
from pochoir.lab.compare.cutouts import PASTICHE, PHOTO
from pochoir.lab.compare.jitter import JitterRow
from pochoir.lab.compare.methods import BASELINE, GIVEN_BOX, METHODS
from pochoir.lab.compare.overlap import OverlapRow
from pochoir.lab.compare.results import Results
from pochoir.lab.compare.scores import CONTENT, STRANGER, STYLE, ScoreRow, targets_of
from pochoir.lab.report.claims import Claim, correct
from pochoir.lab.report.run import Measurements
from pochoir.lab.sweep.results import Row

TRUTH, PAINTING, MEANING, SIMILARITY, LOSS_WEIGHTS, LIMITS = (
    "finding the subject",
    "finding it after painting",
    "meaning of the scores",
    "similarity of cut-outs",
    "loss weights",
    "limits of GrabCut",
)
"""Families of claims; each is corrected for its own number of tests and for each group of pictures."""
_SWEPT = (
    ("content_weight", "content", "A higher content weight", "the distance to the photo's content"),
    ("style_weight", "style", "A higher style weight", "the distance to the style"),
    ("style_weight", "content", "A higher style weight", "the distance to the photo's content"),
    ("content_weight", "style", "A higher content weight", "the distance to the style"),
)


def analyse(found: Measurements) -> list[Claim]:
    """Return all claims, tested and corrected."""
    claims = [*_weight_claims(found.weights, _SWEPT), *_weight_claims(found.smoothness, _TV)]
    for group, results in found.groups.items():
        claims += [*_truth_claims(results, group), *_painting_claims(results, group)]
        claims += [*_meaning_claims(results, group), *_similarity_claims(results, group)]
        claims += [*_overlap_claims(results.overlap), *_jitter_claims(results.jitter, group)]
    return correct(claims)


_TV = (("tv_weight", "roughness", "A higher weight of smoothness", "the roughness of the picture"),)


def method_label(method: str, group: str) -> str:
    """Return a method's name; with the true box of a drawn scene GrabCut is an oracle."""
    if method != GIVEN_BOX:
        return METHODS[method]
    return "GrabCut with the true box (oracle)" if group == "scenes" else "GrabCut with a box drawn by hand"


def _truth_claims(results: Results, group: str) -> Iterator[Claim]:
    """Test whether another method finds the subject better or worse than U2-Net."""
    for seen in (PHOTO, PASTICHE):
        values = _truth_by_method(results, seen)
        for method in METHODS:
            test = _paired(values.get(method, {}), values.get(BASELINE, {}))
            if method == BASELINE or test is None:
                continue
            label, base = method_label(method, group), METHODS[BASELINE]
            place = f"in the {seen}"
            yield Claim(
                f"{TRUTH}, {group}",
                f"IoU with the truth {place}: {label} less {base}",
                f"{label} finds the subject better than {base} {place}",
                f"{label} finds the subject worse than {base} {place}",
                f"No difference between {label} and {base} is shown {place}",
                test,
                group,
                3,
            )


def _painting_claims(results: Results, group: str) -> Iterator[Claim]:
    """Test whether painting makes the subject harder to find."""
    photo, pastiche = (_truth_by_method(results, seen) for seen in (PHOTO, PASTICHE))
    for method in METHODS:
        test = _paired(pastiche.get(method, {}), photo.get(method, {}))
        if test is not None:
            label = method_label(method, group)
            yield Claim(
                f"{PAINTING}, {group}",
                f"IoU with the truth, {label}: in the pastiche less in the photo",
                f"{label} finds the subject better in the pastiche than in the photo",
                f"{label} finds the subject worse in the pastiche than in the photo",
                f"{label}: no effect of painting is shown",
                test,
                group,
                3,
            )


def _meaning_claims(results: Results, group: str) -> Iterator[Claim]:
    """Test whether a score says more than that two pictures share an outline and a backdrop."""
    rows = results.score_rows
    for metric, closer in results.closer.items():
        sign = 1 if closer == "higher" else -1
        own = _score_by_photo(rows, metric, BASELINE, results.way)
        for target in targets_of(metric):
            if target == CONTENT:
                null, name = _null_by_photo(rows, metric, target, STRANGER), "another photo in the same outline"
            elif target == STYLE:
                null = _score_by_photo(rows, metric, BASELINE, (PHOTO, PHOTO)).get(target, {})
                name = "the unpainted cut-out"
            else:
                continue
            test = _paired(own.get(target, {}), null, sign)
            if test is not None:
                subject, useless = f"By {metric}, the painted cut-out is", "so the score cannot rank methods"
                yield Claim(
                    f"{MEANING}, {group}",
                    f"{metric}, closeness to the {target}: U2-Net's cut-out of the pastiche less {name}",
                    f"{subject} closer to the {target} than {name}",
                    f"{subject} further from the {target} than {name}, {useless}",
                    f"{subject} not shown to be closer to the {target} than {name}, {useless}",
                    test,
                    group,
                    3,
                )


def _similarity_claims(results: Results, group: str) -> Iterator[Claim]:
    """Test whether another method's cut-outs are closer to the target than U2-Net's, where neither failed."""
    rows = results.score_rows
    for metric, closer in results.closer.items():
        sign = 1 if closer == "higher" else -1
        base = _score_by_photo(rows, metric, BASELINE, results.way)
        for method in METHODS:
            if method == BASELINE:
                continue
            for target, values in _score_by_photo(rows, metric, method, results.way).items():
                test = _paired(values, base.get(target, {}), sign)
                if test is not None:
                    label, other = method_label(method, group), METHODS[BASELINE]
                    yield Claim(
                        f"{SIMILARITY} by {metric}, {group}",
                        f"{metric}, closeness to the {target}: {label} less {other}",
                        f"By {metric}, cut-outs by {label} are closer to the {target} than {other}'s",
                        f"By {metric}, cut-outs by {label} are further from the {target} than {other}'s",
                        f"By {metric}, no difference between {label} and {other} is shown against the {target}",
                        test,
                        group,
                        3,
                    )


def _weight_claims(rows: Sequence[Row], swept: Sequence[tuple[str, str, str, str]]) -> Iterator[Claim]:
    """Test whether a measure differs between the ends of a weight's range; the unit is the photo."""
    for axis, measure, subject, effect in swept:
        highest, lowest = (_mean_by_photo(rows, axis, measure, pick) for pick in (max, min))
        test = _paired(highest, lowest)
        if test is not None:
            yield Claim(
                LOSS_WEIGHTS,
                f"{measure}: at the highest less at the lowest {axis.replace('_', '-')}",
                f"{subject} raises {effect}",
                f"{subject} lowers {effect}",
                f"{subject}: no effect on {effect} is shown",
                test,
                "photos",
                4 if measure == "roughness" else 3,
            )


def _overlap_claims(rows: Sequence[OverlapRow]) -> Iterator[Claim]:
    """Test GrabCut with the true box against U2-Net at each colour distance; the unit is the drawn scene."""
    for distance in sorted({row.distance for row in rows}):
        by_method = {
            method: _means({row.seed: [] for row in rows}, [
                (row.seed, row.iou)
                for row in rows
                if (row.distance, row.task, row.method) == (distance, "everyone", method)
            ])
            for method in ("grabcut", "u2net")
        }  # fmt: skip
        test = _paired(by_method["grabcut"], by_method["u2net"])
        if test is not None:
            place = f"at colour distance {distance:g}"
            yield Claim(
                f"{LIMITS}, near colours",
                f"IoU {place}: GrabCut with the true box (oracle) less U2-Net",
                f"GrabCut with the true box (oracle) is better than U2-Net {place}",
                f"GrabCut with the true box (oracle) is worse than U2-Net {place}",
                f"GrabCut with the true box (oracle) and U2-Net are not shown to differ {place}",
                test,
                "scenes",
            )


def _jitter_claims(rows: Sequence[JitterRow], group: str) -> Iterator[Claim]:
    """Test whether a moved box changes GrabCut's result more than U2-Net's; the unit is the picture."""
    for share in sorted({row.share for row in rows}):
        by_method = {
            method: _means({row.photo: [] for row in rows}, [
                (row.photo, row.same) for row in rows if (row.share, row.method) == (share, method)
            ])
            for method in ("grabcut", "u2net")
        }  # fmt: skip
        test = _paired(by_method["grabcut"], by_method["u2net"])
        if test is not None:
            place = f"when the box's edges move by up to {100 * share:g} %"
            yield Claim(
                f"{LIMITS}, moved boxes, {group}",
                f"IoU with the unmoved box's result {place}: GrabCut less U2-Net",
                f"GrabCut's result changes less than U2-Net's {place}",
                f"GrabCut's result changes more than U2-Net's {place}",
                f"The two methods are not shown to differ {place}",
                test,
                group,
            )


def _truth_by_method(results: Results, seen: str) -> dict[str, dict[str, float]]:
    values: dict[str, dict[str, float]] = {}
    for item in results.comparisons:
        for row in item.truths:
            if row.seen == seen:
                values.setdefault(row.method, {})[row.photo] = row.scores.iou
    return values


def _score_by_photo(
    rows: Sequence[ScoreRow], metric: str, method: str, way: tuple[str, str]
) -> dict[str, dict[str, float]]:
    """Return scores by target and photo."""
    values: dict[str, dict[str, float]] = {}
    for row in rows:
        if (row.metric, row.method, (row.seen, row.cut)) == (metric, method, way):
            values.setdefault(row.target, {})[row.photo] = row.value
    return values


def _null_by_photo(rows: Sequence[ScoreRow], metric: str, target: str, null: str) -> dict[str, float]:
    return {
        row.photo: row.value
        for row in rows
        if (row.metric, row.method, row.target, row.cut) == (metric, null, target, PASTICHE)
    }


def _mean_by_photo(
    rows: Sequence[Row], axis: str, measure: str, pick: Callable[[list[float]], float]
) -> dict[str, float]:
    """Return a measure's mean over styles, seeds and other weights at one end of an axis, by photo."""
    end = pick([row.run.settings[axis] for row in rows]) if rows else 0.0
    pairs = [(row.run.photo.label, row.measures[measure]) for row in rows if row.run.settings[axis] == end]
    return _means({photo: [] for photo, _ in pairs}, pairs)


def _means(groups: Mapping[str | int, list[float]], pairs: Sequence[tuple[str | int, float]]) -> dict[str, float]:
    values = {key: list(group) for key, group in groups.items()}
    for key, value in pairs:
        values[key].append(value)
    return {str(key): sum(group) / len(group) for key, group in values.items() if group}


def _paired(one: Mapping[str, float], other: Mapping[str, float], sign: int = 1) -> PairedTest | None:
    """Test two methods on the items that both have; ``sign`` -1 turns distances into closeness."""
    shared = [name for name in one if name in other]
    if not shared:
        return None
    return paired_test([sign * one[name] for name in shared], [sign * other[name] for name in shared])
