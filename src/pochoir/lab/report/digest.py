"""Summary of claims: one sentence for each family, made from the outcomes of its tests."""

from collections.abc import Iterator, Sequence

from pochoir.lab.common.statistics import detectable_effect, needed_count, smallest_p_value
from pochoir.lab.compare.methods import METHODS
from pochoir.lab.report.analysis import LIMITS, LOSS_WEIGHTS, MEANING, PAINTING, SIMILARITY, TRUTH
from pochoir.lab.report.claims import ALPHA, Claim, relate_p
from pochoir.lab.report.run import Measurements

MEDIUM_EFFECT, LARGE_EFFECT = 0.5, 0.8
"""Effects in standard deviations of the differences, by Cohen's convention."""


def digest(claims: Sequence[Claim], found: Measurements) -> Iterator[str]:
    """Yield the findings, one sentence or two for each family."""
    for family, opening in _OPENINGS:
        own = [claim for claim in claims if claim.family.startswith(family)]
        for group in dict.fromkeys(claim.family for claim in own):
            of_group = [claim for claim in own if claim.family == group]
            if family == SIMILARITY and not _is_meaningful(of_group, claims):
                continue
            unit = of_group[0].unit
            counts = sorted({claim.test.count for claim in of_group})
            size = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
            yield f"{opening} ({_name(group)}, n = {size} {unit}): {_outcomes(of_group)}"
    yield _failures(found)


def _outcomes(claims: Sequence[Claim]) -> str:
    shown = [claim for claim in claims if claim.is_shown]
    directions = {claim.test.difference.mean > 0 for claim in shown}
    for prefix, (higher, lower) in _ALL_ALIKE.items():
        if len(shown) == len(claims) > 1 and len(directions) == 1 and claims[0].family.startswith(prefix):
            sizes = sorted(abs(claim.test.difference.mean) for claim in shown)
            largest = max(claim.p_corrected for claim in shown)
            digits = claims[0].digits
            return (
                f"{higher if directions == {True} else lower} "
                f"(by {sizes[0]:.{digits}f} to {sizes[-1]:.{digits}f}, largest p {relate_p(largest)})."
            )
    text = "; ".join(
        f"{claim.verdict[0].lower() if claim.verdict[:2] in ('A ', 'By') else claim.verdict[0]}{claim.verdict[1:]} "
        f"(by {abs(claim.test.difference.mean):.{claim.digits}f}, p {relate_p(claim.p_corrected)})"
        for claim in shown
    )
    if not shown:
        return f"none of the {len(claims)} differences is significant."
    rest = len(claims) - len(shown)
    if not rest:
        return f"{text}."
    if rest == 1:
        return f"{text}. The remaining difference is not significant."
    return f"{text}. The other {rest} of {len(claims)} differences are not significant."


def _name(family: str) -> str:
    """Return the part of a family's name after its first comma or ``by``."""
    return family.partition(", ")[2] or "photos" if not family.startswith(SIMILARITY) else family[len(SIMILARITY) + 1 :]


def _is_meaningful(similarity: Sequence[Claim], claims: Sequence[Claim]) -> bool:
    """Return True if the family's score was shown to beat its null; otherwise it cannot rank methods."""
    metric, _, group = similarity[0].family.removeprefix(f"{SIMILARITY} by ").partition(", ")
    checks = [
        claim for claim in claims if claim.family == f"{MEANING}, {group}" and claim.question.startswith(f"{metric}, ")
    ]
    return bool(checks) and all(claim.is_shown and claim.test.difference.mean > 0 for claim in checks)


def _failures(found: Measurements) -> str:
    parts = []
    for group, results in found.groups.items():
        mattes = sum(len(by_method) for item in results.comparisons for by_method in item.found.values())
        by_method: dict[str, int] = {}
        for row in results.failures:
            by_method[row.method] = by_method.get(row.method, 0) + 1
        names = ", ".join(f"{METHODS[method]} {count}" for method, count in by_method.items())
        parts.append(f"{group}: {len(results.failures)} of {mattes} mattes" + (f" ({names})" if names else ""))
    return f"Failures, that is empty or full mattes, which are not ranked: {'; '.join(parts)}."


def tell_power(claims: Sequence[Claim]) -> Iterator[str]:
    """Yield for each number of items what it can show, by a power estimate at 80 %."""
    families = {(claim.test.count, claim.tests, claim.unit) for claim in claims}
    for unit in dict.fromkeys(unit for _, _, unit in sorted(families)):
        count, tests = max((count, tests) for count, tests, own in families if own == unit)
        strictest = ALPHA / tests
        effect, alone = detectable_effect(count, alpha=strictest), detectable_effect(count)
        medium = needed_count(MEDIUM_EFFECT, alpha=strictest)
        if effect is None:
            yield (
                f"{count} {unit}: the least possible p-value is {smallest_p_value(count):.2g}, so the strictest of "
                f"{tests} tests that are corrected together cannot show anything. A single test finds "
                f"{_effect(alone)}. {LARGE_EFFECT} standard deviations need "
                f"{needed_count(LARGE_EFFECT, alpha=strictest)} {unit}, {MEDIUM_EFFECT} need {medium}."
            )
        else:
            yield (
                f"{count} {unit}: with a power of 80 % the strictest of {tests} tests corrected together finds "
                f"{_effect(effect)}, a single test {_effect(alone)}. {MEDIUM_EFFECT} standard deviations would need "
                f"{medium} {unit}."
            )


def _effect(effect: float | None) -> str:
    return "nothing" if effect is None else f"differences from {effect:.2f} standard deviations"


def claim_rows(claims: Sequence[Claim]) -> list[dict[str, object]]:
    """Return all tests as flat values, for the file of tests."""
    return [
        {
            "family": claim.family,
            "question": claim.question,
            "n": claim.test.count,
            "difference": claim.test.difference.mean,
            "low": claim.test.difference.low,
            "high": claim.test.difference.high,
            "spread": claim.test.spread,
            "p": claim.test.p_value,
            "p_corrected": claim.p_corrected,
            "tests_in_family": claim.tests,
            "is_shown": claim.is_shown,
            "verdict": claim.verdict,
        }
        for claim in claims
    ]


_ALL_ALIKE = {
    TRUTH: ("every method finds it better than U2-Net", "every method finds it worse than U2-Net"),
    PAINTING: (
        "every method finds it better in the pastiche than in the photo",
        "every method finds it worse in the pastiche than in the photo",
    ),
    f"{LIMITS}, near colours": (
        "GrabCut with the true box (oracle) is better than U2-Net at every colour distance",
        "GrabCut with the true box (oracle) is worse than U2-Net at every colour distance",
    ),
    f"{LIMITS}, moved boxes": (
        "GrabCut's result changes less than U2-Net's at every movement of the box",
        "GrabCut's result changes more than U2-Net's at every movement of the box",
    ),
}
"""Sentences for families whose differences are all shown in one direction: above 0, and below 0."""
_OPENINGS = (
    (TRUTH, "Finding the subject"),
    (PAINTING, "Finding it after painting"),
    (MEANING, "Meaning of the scores"),
    (SIMILARITY, "Similarity of cut-outs"),
    (LOSS_WEIGHTS, "Loss weights"),
    (LIMITS, "Limits of GrabCut"),
)
