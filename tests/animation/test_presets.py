"""Motions of any subject: rest, loop, orientation and area of triangles, anchored edges."""

import numpy as np
import pytest

from pochoir.animation.arrays import Layer
from pochoir.animation.body import measure
from pochoir.animation.motions import MOTIONS, Move
from pochoir.animation.puppet import Sheet
from pochoir.errors import OptionError, UnknownNameError

PRESETS = [name for name, motion in MOTIONS.items() if motion.field is not None]
PHASES = np.arange(48) / 48


def at(puppet: Sheet, name: str, phase: float, amount: float = 1.0) -> np.ndarray:
    return puppet.pose([Move(MOTIONS[name], amount)], lambda period_s: phase)


@pytest.mark.parametrize("name", PRESETS)
def test_phase_zero_is_rest_and_the_loop_closes(name: str, standing: Layer, bust: Layer) -> None:
    for cutout in (standing, bust):
        puppet = Sheet(cutout[..., 3])
        np.testing.assert_allclose(at(puppet, name, 0.0), puppet.rest, atol=1e-9)
        almost = at(puppet, name, 1.0 - 1e-9)
        if name == "jitter":  # holds its poses: the last one is not the first
            continue
        np.testing.assert_allclose(almost, puppet.rest, atol=1e-5)


@pytest.mark.parametrize("name", PRESETS)
def test_motions_move_something(name: str, standing: Layer) -> None:
    puppet = Sheet(standing[..., 3])
    most = max(np.abs(at(puppet, name, phase) - puppet.rest).max() for phase in PHASES)
    assert most > 0.004 * puppet.body.h
    more = max(np.abs(at(puppet, name, phase, 0.5) - puppet.rest).max() for phase in PHASES)
    assert more < 0.95 * most  # half the amount moves less


@pytest.mark.parametrize("name", PRESETS)
def test_no_triangle_flips_and_areas_stay_near_those_at_rest(name: str, standing: Layer, bust: Layer) -> None:
    for cutout in (standing, bust):
        puppet = Sheet(cutout[..., 3])
        rest = puppet.mesh.areas(puppet.rest)
        assert (rest > 0).all()
        ratios = np.array([puppet.mesh.areas(at(puppet, name, phase)) / rest for phase in PHASES])
        assert (ratios > 0).all()
        low, high = np.percentile(ratios, [1, 99])
        assert low > 0.65
        assert high < 1.35


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "peek"])
def test_edges_that_the_frame_cuts_do_not_move(name: str, bust: Layer) -> None:
    puppet = Sheet(bust[..., 3])
    assert puppet.body.touched == {"bottom"}
    edge = puppet.rest[:, 1] >= bust.shape[0] - 1
    assert edge.any()
    for phase in PHASES[::6]:
        np.testing.assert_allclose(at(puppet, name, phase)[edge], puppet.rest[edge], atol=1e-9)


def test_motions_add_up(standing: Layer) -> None:
    puppet = Sheet(standing[..., 3])
    both = puppet.pose([Move(MOTIONS["nod"]), Move(MOTIONS["breathe"])], lambda period_s: 0.3)
    one, other = at(puppet, "nod", 0.3), at(puppet, "breathe", 0.3)
    np.testing.assert_allclose(both, one + other - puppet.rest, atol=1e-9)


def test_jitter_holds_each_pose(standing: Layer) -> None:
    puppet = Sheet(standing[..., 3])
    frames = [at(puppet, "jitter", index / 72) for index in range(24)]
    for first in range(0, 24, 3):
        np.testing.assert_array_equal(frames[first], frames[first + 2])
    assert np.abs(frames[3] - frames[0]).max() > 0.3


def test_mesh_contains_every_pixel_of_the_matte() -> None:
    rng = np.random.default_rng(1)
    for size in ((1, 1), (7, 3), (40, 64), (90, 50)):
        alpha = (rng.random(size) > 0.7).astype(np.float32)
        alpha[0, 0] = 1
        puppet = Sheet(alpha)
        inside = np.zeros(size, bool)
        corners = puppet.rest[puppet.triangles]
        for first, second, third in corners:
            y, x = np.nonzero(alpha > 0)
            matrix = np.stack([second - first, third - first], 1)
            b = np.linalg.solve(matrix, np.stack([x, y], 0) - first[:, None])
            hit = (b >= -1e-9).all(0) & (b.sum(0) <= 1 + 1e-9)
            inside[y[hit], x[hit]] = True
        assert inside[alpha > 0].all()


def test_faint_and_tiny_subjects_are_measured() -> None:
    faint = np.zeros((20, 30), np.float32)
    faint[4:8, 5:9] = 0.2
    body = measure(faint)
    assert (body.left, body.right, body.top, body.foot) == (5, 9, 4, 8)
    dot = np.zeros((9, 9), np.float32)
    dot[4, 4] = 1
    for name in PRESETS:
        assert np.isfinite(at(Sheet(dot), name, 0.37)).all()


def test_names_and_amounts_are_checked() -> None:
    assert str(Move.parse("nod")) == "nod"
    assert str(Move.parse("nod:0.5")) == "nod:0.5"
    with pytest.raises(UnknownNameError, match=r"Unknown motion 'nodd'\. Did you mean 'nod'\?"):
        Move.parse("nodd")
    for amount in ("0", "-1", "3.5", "nan", "inf", "x", ""):
        with pytest.raises(OptionError, match="above 0 and up to 3"):
            Move.parse(f"nod:{amount}")
