"""Types of the keyword arguments of clips."""

from collections.abc import Sequence
from typing import Literal

from pochoir.arguments import StylizeOptions


class AnimateOptions(StylizeOptions, total=False):
    """Keyword arguments of ``animate``: those of ``stylize``, and the fields of ``ClipSettings``."""

    motion: str | Sequence[str]
    duration: float | str
    fps: float
    loop: bool
    on: int
    boil: int
    parallax: bool
    shadow: bool
    towards: Literal["left", "right"] | None
    margin: float | str | None
