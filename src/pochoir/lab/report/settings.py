"""Settings of the report: sizes, numbers of photos, scenes and seeds."""

from dataclasses import dataclass, field
from pathlib import Path

from pochoir._types import Size
from pochoir.errors import OptionError
from pochoir.lab.compare.jitter import JitterSettings
from pochoir.lab.compare.overlap import OverlapSettings
from pochoir.lab.scenes import MATTE_SCENES
from pochoir.recipe import Recipe

FIGURE_SCENES = {"figures-1": (1, 30.0), "figures-2": (2, 60.0), "figures-3": (3, 40.0), "figures-4": (2, 20.0)}
"""Drawn scenes of figures: number of figures, and colour distance to the ground."""
SCENES = (*MATTE_SCENES, *FIGURE_SCENES)
"""All drawn scenes that are compared."""
STYLE, OTHER_STYLE = "mosaic", "woodblock-waves"
WEIGHTS = (0.1, 1.0, 10.0)
"""Style and content weights of the full report; a quick one takes the ends, which the claims compare."""
TV_WEIGHTS = (0.0, 1.0, 10.0)
SHOWN_PHOTO = "chelsea"
"""The photo whose sweep is shown as Figure 5; all photos count."""


@dataclass(frozen=True)
class ReportSettings:
    """Sizes and numbers of a report.

    Attributes:
        size: Long side of the compared pictures in pixels, at least 64.
        steps: Optimiser steps of each painting.
        sweep_size: Long side of the swept pictures in pixels, at least 64.
        seeds: Seeds of each setting in the sweeps, 1 to 20.
        scenes: Drawn scenes of each kind for the limits of GrabCut, at least 1.
        draws: Moved boxes for each distance, at least 1.
        metrics: Metrics of cut-outs.
        other_backdrops: Colours on which scores are repeated; empty leaves the backdrop's effect out.
        photos: Folder of further photos.
        is_quick: Whether these are the reduced settings of ``quick``.

    Raises:
        OptionError: A value is out of bounds.
    """

    size: int = 256
    steps: int = 36
    sweep_size: int = 160
    seeds: int = 2
    scenes: int = 10
    draws: int = 12
    metrics: tuple[str, ...] = ("gram", "lpips", "dists", "vgg")
    other_backdrops: tuple[str, ...] = ("#000000", "#ffffff")
    photos: Path | None = None
    is_quick: bool = False
    overlap_size: Size = field(default=Size(192, 256))

    def __post_init__(self) -> None:
        if min(self.size, self.sweep_size) < 64:
            raise OptionError(f"The report's pictures are at least 64 pixels long; got {self.size}, {self.sweep_size}.")
        if not 1 <= self.seeds <= 20:
            raise OptionError(f"A report takes 1 to 20 seeds; got {self.seeds}.")
        # These check the bounds of what they take.
        Recipe().replace(size=max(self.size, self.sweep_size), steps=self.steps)
        OverlapSettings(scenes=self.scenes)
        JitterSettings(draws=self.draws)

    @classmethod
    def quick(cls, *, photos: Path | None = None) -> "ReportSettings":
        """Return settings for a report in about ten minutes on two cores: smaller pictures, fewer steps and repeats."""
        return cls(
            size=128,
            steps=15,
            sweep_size=64,
            seeds=2,
            scenes=6,
            draws=3,
            metrics=("gram", "lpips", "vgg"),
            other_backdrops=(),
            photos=photos,
            is_quick=True,
            overlap_size=Size(96, 128),
        )

    @property
    def weights(self) -> tuple[float, ...]:
        """Style and content weights of the sweep."""
        return (WEIGHTS[0], WEIGHTS[-1]) if self.is_quick else WEIGHTS

    @property
    def tv_weights(self) -> tuple[float, ...]:
        """Weights of smoothness of the sweep."""
        return (TV_WEIGHTS[0], TV_WEIGHTS[-1]) if self.is_quick else TV_WEIGHTS

    @property
    def overlap(self) -> OverlapSettings:
        """Selection of drawn scenes for the limits of GrabCut."""
        if self.is_quick:
            return OverlapSettings(
                figures=(1, 3), distances=(10.0, 20.0, 40.0), scenes=self.scenes, size=self.overlap_size
            )
        return OverlapSettings(scenes=self.scenes, size=self.overlap_size)

    @property
    def jitter(self) -> JitterSettings:
        """Settings of the moved boxes."""
        return JitterSettings(shares=(0.05, 0.1, 0.2), draws=self.draws)
