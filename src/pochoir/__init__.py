"""pochoir paints photos through masks.

>>> import pochoir
>>> result = pochoir.stylize("parrot.jpg", subject="stained-glass", background="woodblock-waves")  # doctest: +SKIP
>>> result.save("two.png")  # doctest: +SKIP

Names below are imported when they are first used, so importing the package alone is quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

from pochoir._openmp import prefer_sleeping
from pochoir._version import __version__ as __version__

if TYPE_CHECKING:
    from pochoir._types import Box as Box
    from pochoir._types import Size as Size
    from pochoir.clips import animate as animate
    from pochoir.errors import PochoirError as PochoirError
    from pochoir.jobs import Event as Event
    from pochoir.jobs import Job as Job
    from pochoir.jobs import Store as Store
    from pochoir.jobs.runner import run as run
    from pochoir.notebook import show_progress as show_progress
    from pochoir.painting import Painting as Painting
    from pochoir.pipeline import iter_stylize as iter_stylize
    from pochoir.pipeline import iter_variations as iter_variations
    from pochoir.pipeline import segment as segment
    from pochoir.pipeline import stylize as stylize
    from pochoir.recipe import Recipe as Recipe
    from pochoir.recipe import StyleRef as StyleRef
    from pochoir.remake import redo as redo
    from pochoir.result import Result as Result
    from pochoir.segmentation import Segmentation as Segmentation
    from pochoir.sequence.making import stylize_video as stylize_video
    from pochoir.session import Session as Session
    from pochoir.transfer import Step as Step

prefer_sleeping()

_HOMES = {
    "Box": "_types",
    "Event": "jobs",
    "Job": "jobs",
    "Painting": "painting",
    "PochoirError": "errors",
    "Recipe": "recipe.recipe",
    "Result": "result",
    "Segmentation": "segmentation",
    "Session": "session",
    "Size": "_types",
    "Step": "transfer",
    "Store": "jobs",
    "StyleRef": "recipe.recipe",
    "animate": "clips",
    "iter_stylize": "pipeline",
    "iter_variations": "pipeline",
    "redo": "remake",
    "run": "jobs",
    "segment": "pipeline",
    "show_progress": "notebook",
    "stylize": "pipeline",
    "stylize_video": "sequence.making",
}

__all__ = [*sorted(_HOMES), "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"pochoir.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'pochoir' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
