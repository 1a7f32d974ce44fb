"""The protocol of a metric: it describes each picture once, and compares descriptions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, TypeAlias

from torch import Tensor

from pochoir._types import Size

PARTS = ("all", "subject", "background", "edge")

Part: TypeAlias = Literal["all", "subject", "background", "edge"]

Features: TypeAlias = tuple[Tensor, ...]
"""A metric's description of a picture: tensors on the CPU, never changed in place."""


@dataclass(frozen=True, eq=False)
class View:
    """A picture as the metrics see it: laid on the backdrop, with the weight of each pixel.

    Attributes:
        rgb: Colours in [0, 1], shape (1, 3, H, W). Pixels that are not scored have the backdrop's colour.
        weight: Weight of each pixel in the score, in [0, 1], shape (1, 1, H, W); None scores all alike.
        key: Name of the view's content: the picture's hash and everything that was done to it.
    """

    rgb: Tensor = field(repr=False)
    weight: Tensor | None = field(repr=False)
    key: str

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return Size(*self.rgb.shape[-2:])


class Measure(NamedTuple):
    """Result of comparing two descriptions."""

    value: float
    """The metric's number."""
    cosine: float | None = None
    """Cosine of the angle between the two descriptions; None where they are not vectors."""
    euclidean: float | None = None
    """Euclidean distance of the two descriptions; None where they are not vectors."""


class Metric(Protocol):
    """A measure of how similar two pictures are.

    Attributes:
        name: Name that it was asked for by. Results are kept under it, so different settings need different names.
        closer: Whether a higher or a lower value means that two pictures are more alike.
        pixels: Area that a picture is scaled to before it is described, in pixels; None does not scale it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def closer(self) -> Literal["higher", "lower"]: ...  # noqa: D102

    @property
    def pixels(self) -> int | None: ...  # noqa: D102

    def describe(self, views: Sequence[View]) -> list[Features]:
        """Describe pictures of one size; no description depends on the other pictures."""
        ...

    def compare(self, one: Features, other: Features) -> Measure:
        """Compare two descriptions. Neither is a reference, so their order does not matter."""
        ...
