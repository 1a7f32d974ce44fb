"""Claims of the report: each is a test, and the sentence is written by the test's outcome."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pochoir.lab.common.statistics import PairedTest, detectable_effect, holm, smallest_p_value

ALPHA = 0.05


@dataclass(frozen=True)
class Claim:
    """A question that a test answers.

    Attributes:
        family: Name of the claims that are corrected together.
        question: The comparison, such as ``"IoU of U2-Net-p less U2-Net's, photos"``.
        higher: Sentence for a difference that is shown to be above 0, without its full stop.
        lower: Sentence for a difference that is shown to be below 0.
        open: Sentence for a difference that is not shown.
        test: The test.
        unit: Name of the items that are counted, such as ``"scenes"``.
        digits: Decimals of the difference.
        p_corrected: The p-value, corrected for the family by Holm's method.
        tests: Number of tests in the family.
    """

    family: str
    question: str
    higher: str
    lower: str
    open: str
    test: PairedTest
    unit: str
    digits: int = 2
    p_corrected: float = 1.0
    tests: int = 1

    @property
    def is_shown(self) -> bool:
        """True if the difference is shown at 5 %, after correction."""
        return self.p_corrected < ALPHA

    @property
    def verdict(self) -> str:
        """The sentence of the test's outcome, without numbers."""
        if not self.is_shown:
            return self.open
        return self.higher if self.test.difference.mean > 0 else self.lower

    @property
    def numbers(self) -> str:
        """Difference, interval, corrected p-value and number of items."""
        difference = self.test.difference.format(self.digits)
        corrected = f"p {relate_p(self.p_corrected)} (Holm, {count_tests(self.tests)})"
        return f"difference {difference}, {corrected}, n = {self.test.count}"

    @property
    def missed(self) -> float | None:
        """Smallest difference that the strictest step of the correction finds with a power of 80 %."""
        effect = detectable_effect(self.test.count, alpha=ALPHA / self.tests)
        return None if effect is None else effect * self.test.spread

    def sentence(self) -> str:
        """Return the verdict with its numbers, and for an open question the difference that may have been missed."""
        text = f"{self.verdict}: {self.numbers}."
        if self.is_shown:
            return text
        if smallest_p_value(self.test.count) * self.tests >= ALPHA:
            return (
                f"{text} With {self.test.count} {self.unit} and {count_tests(self.tests)} no difference could be shown."
            )
        missed = self.missed
        return text if missed is None else f"{text} A difference below {missed:.{self.digits}f} may have been missed."


def correct(claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims with p-values corrected within each family."""
    corrected = list(claims)
    for family in dict.fromkeys(claim.family for claim in claims):
        indices = [index for index, claim in enumerate(claims) if claim.family == family]
        p_values = holm([claims[index].test.p_value for index in indices])
        for index, p_value in zip(indices, p_values, strict=True):
            corrected[index] = replace(claims[index], p_corrected=p_value, tests=len(indices))
    return corrected


def count_tests(count: int) -> str:
    """Return a number of tests in words for a sentence."""
    return "1 test" if count == 1 else f"{count} tests"


def format_p(value: float) -> str:
    """Return a p-value for a table."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def relate_p(value: float) -> str:
    """Return a p-value with its relation for a sentence, such as ``= 0.012``."""
    text = format_p(value)
    return text if text.startswith("<") else f"= {text}"
