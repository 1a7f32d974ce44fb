"""Drawn scenes whose true mattes are known, for the lab and the benchmarks."""

from pochoir.lab.scenes.figures import LARGEST_DISTANCE, MOST_FIGURES, FigureScene, draw_figures
from pochoir.lab.scenes.mattes import FAMILIES, HELD_OUT, MATTE_SCENES, TUNE, MatteScene, draw_matte_scene

__all__ = [
    "FAMILIES",
    "HELD_OUT",
    "LARGEST_DISTANCE",
    "MATTE_SCENES",
    "MOST_FIGURES",
    "TUNE",
    "FigureScene",
    "MatteScene",
    "draw_figures",
    "draw_matte_scene",
]
