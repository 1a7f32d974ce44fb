"""The student report's three claims about loss weights, on trained weights."""

from pathlib import Path

import pytest
from skimage import data

from pochoir import imaging
from pochoir._types import Size
from pochoir.lab.sweep.grid import Axis
from pochoir.lab.sweep.plan import plan_sweep
from pochoir.lab.sweep.results import collect
from pochoir.lab.sweep.runs import iter_sweep
from pochoir.recipe import Recipe

pytestmark = pytest.mark.weights


@pytest.mark.parametrize(
    ("field", "values", "measure"),
    [
        ("content_weight", (0.1, 1.0, 10.0), "content"),
        ("style_weight", (0.1, 1.0, 10.0), "style"),
        ("tv_weight", (0.1, 10.0, 1000.0), "roughness"),
    ],
)
def test_more_of_a_weight_brings_the_picture_closer_to_what_it_weighs(
    field: str, values: tuple[float, ...], measure: str, tmp_path: Path
) -> None:
    imaging.save(tmp_path / "astronaut.png", imaging.resize(imaging.load(data.astronaut()).rgb, Size(64, 64)))
    base = Recipe(size=64, steps=12, threads=1)
    plan = plan_sweep([str(tmp_path / "astronaut.png")], ["mosaic"], base, [Axis(field, values)])
    assert [outcome.status for outcome in iter_sweep(plan, tmp_path)] == ["saved"] * 3
    found = [row.measures[measure] for row in collect(plan, tmp_path)]
    assert found == sorted(found, reverse=True), found
    assert found[0] > 1.05 * found[-1]  # more than scatter
