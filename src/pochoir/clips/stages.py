"""Stages of a clip in the making, and the share of the work that is done."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from pochoir.clips.production import BACKGROUND, SUBJECT, Production, title_repainting

RENDERING: Final = "rendering"
"""Name of the last stage."""
_REPAINTING: Final = 0.25
_RENDERING: Final = 0.15
"""Work of a stage, relative to one painting."""


def plan_stages(production: Production) -> dict[str, float]:
    """Return the names of all stages in order, and their work relative to one painting."""
    recipe, boil = production.recipe, production.settings.boil
    regions = [SUBJECT] if recipe.paints_subject else []
    regions += [BACKGROUND] if recipe.paints_background and not production.is_transparent else []
    stages: dict[str, float] = {}
    for region in regions:
        stages[region] = 1.0
        stages |= {title_repainting(region, number, boil): _REPAINTING for number in range(1, boil + 1)}
    return stages | {RENDERING: _RENDERING}


class StageClock:
    """Share of all work that is done, and the time left.

    Args:
        stages: Work of each stage by its name; see ``plan_stages``.
        clock: Returns seconds.
    """

    def __init__(self, stages: Mapping[str, float], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stages = dict(stages)
        self._clock = clock
        self._began_s = clock()
        self._work = self._before = self.share = 0.0

    def begin(self, stage: str) -> None:
        """Begin a stage; those before it count as done."""
        names = list(self._stages)
        self._before = sum(self._stages[name] for name in names[: names.index(stage)])
        self._work = self._stages[stage]
        self._began_s = self._clock()

    def estimate_left_s(self, done: int, total: int, left_s: float | None = None) -> float | None:
        """Take the state of the current stage, update ``share``, and return the seconds left for all stages.

        Args:
            done: Steps of the stage that are done.
            total: Steps of the stage.
            left_s: Seconds that the stage still takes; None estimates them from equally long steps.
        """
        spent_s = self._clock() - self._began_s
        if left_s is None and done:
            left_s = spent_s * (total - done) / done
        all_work = sum(self._stages.values())
        within = done / max(1, total) if left_s is None or spent_s <= 0 else spent_s / (spent_s + left_s)
        self.share = max(self.share, (self._before + self._work * within) / all_work)
        if left_s is None:
            return None
        rest = all_work - self._before - self._work
        return left_s + rest * (spent_s + left_s) / self._work
