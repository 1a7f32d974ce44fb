"""Flow against the true motion of drawn scenes, and warping."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from pochoir.errors import OptionError, ShapeError
from pochoir.video.flow import Flows, pull_push
from pochoir.video.warping import warp

HEIGHT, WIDTH, COUNT = 144, 256, 8


def grain(seed: int, calm: float = 0.0) -> np.ndarray:
    """A wide picture with detail of all sizes; its right part may be calm, like a sky."""
    rng = np.random.default_rng(seed)
    total = np.zeros((300, 600, 3), np.float32)
    for step, strength in ((3, 14), (8, 22), (24, 30), (80, 30)):
        noise = rng.normal(0, 1, (300 // step + 2, 600 // step + 2, 3)).astype(np.float32)
        total += strength * cv2.resize(noise, (600, 300), interpolation=cv2.INTER_CUBIC)
    total[:, 300:] *= 1 - calm
    return 128 + total


class Scene:
    """A textured disc that moves over a ground that pans and zooms, with noise; flow and mattes are known."""

    def __init__(self, calm: float = 0.0) -> None:
        rng = np.random.default_rng(9)
        ground, cloth = grain(1, calm), grain(2)[..., ::-1] * 0.6 + 60
        self.frames, self.mattes = [], []
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        self.grid = np.stack([x, y], -1)
        for index in range(COUNT):
            shown = [
                cv2.remap(picture, *np.moveaxis(self._place(layer, index, self.grid), 2, 0), cv2.INTER_CUBIC)
                for layer, picture in ((0, ground), (1, cloth))
            ]
            own = self._place(1, index, self.grid) - np.float32([150, 110])
            matte = np.clip(40 - np.hypot(own[..., 0], own[..., 1]), 0, 1)[..., None]
            picture = shown[0] * (1 - matte) + shown[1] * matte + rng.normal(0, 2, shown[0].shape)
            self.frames.append(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
            self.mattes.append(np.rint(matte[..., 0] * 255).astype(np.uint8))

    @staticmethod
    def _place(layer: int, index: int, at: np.ndarray) -> np.ndarray:
        """Return the place in a layer that a place in a frame shows."""
        zoom = 1 - (0.003, 0.004)[layer] * index
        shift = (np.float32([150 + 1.7 * index, 60 + 0.4 * index]), np.float32([60 - 2.3 * index, 50 + index]))[layer]
        return (at * zoom + shift).astype(np.float32)

    def flow(self, i: int, j: int) -> np.ndarray:
        found = []
        for layer in (0, 1):
            start = self._place(layer, j, np.zeros(2, np.float32))
            zoom = (self._place(layer, j, np.ones(2, np.float32)) - start)[0]
            found.append((self._place(layer, i, self.grid) - start) / zoom - self.grid)
        return np.where(self.mattes[i][..., None] > 127, found[1], found[0])

    def is_seen(self, i: int, j: int) -> np.ndarray:
        places = self.flow(i, j) + self.grid
        inside = ((places >= 0) & (places <= np.float32([WIDTH - 1, HEIGHT - 1]))).all(axis=2)
        there = cv2.remap(self.mattes[j], *np.moveaxis(places.astype(np.float32), 2, 0), cv2.INTER_LINEAR)
        return inside & ((there > 127) == (self.mattes[i] > 127))

    def errors(self, flows: Flows, gap: int) -> Iterator[np.ndarray]:
        """Yield the end-point errors in pixels where both frames show the same."""
        for i in range(gap, COUNT, 3):
            distance = np.linalg.norm(flows.flow(i, i - gap) - self.flow(i, i - gap), axis=2)
            yield distance[self.is_seen(i, i - gap)]


SCENE, CALM = Scene(), Scene(calm=0.96)


@pytest.mark.parametrize(
    ("scene", "gap", "most_px"), [(SCENE, 1, 0.08), (SCENE, 5, 0.15), (CALM, 1, 0.35), (CALM, 5, 0.4)]
)
def test_flow_with_mattes_is_near_the_true_motion(scene: Scene, gap: int, most_px: float) -> None:
    flows = Flows(scene.frames, scene.mattes)
    assert np.mean([error.mean() for error in scene.errors(flows, gap)]) < most_px


def test_mattes_and_filling_make_the_flow_better() -> None:
    with_mattes, without = Flows(SCENE.frames, SCENE.mattes), Flows(SCENE.frames)
    true = [(without._raw(i, i - 5) - SCENE.flow(i, i - 5), SCENE.is_seen(i, i - 5)) for i in (5,)]
    raw = np.mean([np.linalg.norm(error, axis=2)[seen].mean() for error, seen in true])
    filled, plain = (np.mean([each.mean() for each in SCENE.errors(flows, 5)]) for flows in (with_mattes, without))
    assert filled < 0.5 * plain
    assert plain < raw


def test_what_a_matte_misses_moves_with_the_subject_nevertheless() -> None:
    bad = [cv2.erode(matte, np.ones((9, 9), np.uint8)) for matte in SCENE.mattes]
    missed = (SCENE.mattes[3] > 127) & (bad[3] < 128) & SCENE.is_seen(3, 2)
    errors = np.linalg.norm(Flows(SCENE.frames, bad).flow(3, 2) - SCENE.flow(3, 2), axis=2)
    moved = np.linalg.norm(SCENE.flow(3, 2) - SCENE.flow(3, 2)[5, 5], axis=2)[missed].mean()
    assert moved > 3
    assert errors[missed].mean() < 0.3 * moved
    assert np.mean([each.mean() for each in SCENE.errors(Flows(SCENE.frames, bad), 1)]) < 0.12


def test_what_moves_fast_is_followed_through_the_frames_between() -> None:
    ground, cloth = grain(1)[:HEIGHT, :WIDTH], grain(2)[:40, :40, ::-1] * 0.6 + 60
    y, x = np.mgrid[:40, :40] - 19.5
    disc = np.clip(19 - np.hypot(x, y), 0, 1)
    frames, mattes = [], []
    for at in range(9):
        place, matte = np.s_[50:90, 10 + 9 * at : 50 + 9 * at], np.zeros((HEIGHT, WIDTH))
        matte[place] = disc
        picture = ground.copy()
        picture[place] = ground[place] * (1 - disc[..., None]) + cloth * disc[..., None]
        frames.append(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
        mattes.append(np.rint(matte * 255).astype(np.uint8))
    inner = np.hypot(*(np.mgrid[:HEIGHT, :WIDTH] - np.array([69.5, 29.5])[:, None, None])) < 15
    errors = [
        np.linalg.norm(Flows(frames, mattes, follows=follows).flow(0, 8)[inner] - [72, 0], axis=1).mean()
        for follows in (False, True)
    ]
    assert errors[1] < 1.0 < errors[0] / 10
    back = Flows(frames, mattes, follows=True)
    assert np.abs(back.flow(8, 0)[inner.nonzero()[0], inner.nonzero()[1] + 72] - [-72, 0]).mean() < 1.0
    assert back.visible(0, 8)[inner].mean() > 0.9


@pytest.mark.parametrize(("scene", "most_px"), [(SCENE, 0.15), (CALM, 0.4)])
def test_following_is_no_worse_where_a_search_finds_the_motion(scene: Scene, most_px: float) -> None:
    flows = Flows(scene.frames, scene.mattes, follows=True)
    assert np.mean([error.mean() for error in scene.errors(flows, 5)]) < most_px


def test_visible_is_what_both_frames_show() -> None:
    flows = Flows(SCENE.frames, SCENE.mattes)
    for i, j in ((4, 3), (6, 1), (1, 6)):
        visible, seen = flows.visible(i, j), SCENE.is_seen(i, j)
        assert visible.dtype == np.float32
        assert (visible >= 0).all()
        assert (visible <= 1).all()
        assert visible[seen].mean() > 0.95
        if abs(i - j) > 1:
            assert visible[~seen].mean() < 0.2


def test_flat_parts_count_as_visible() -> None:
    flat = [np.full((80, 120, 3), 128 + index % 2, np.uint8) for index in range(2)]
    assert Flows(flat).visible(0, 1).mean() > 0.98


def test_without_shade_dark_things_before_dark_ground_are_told_from_it() -> None:
    """The ground differs from the thing before it by some 10 levels, less than shade may change it."""
    still = np.clip(np.rint(grain(1)[:HEIGHT, :WIDTH] / 16 + 8), 0, 255).astype(np.uint8)
    covered = still.copy()
    covered[40:100, 80:140] += 10
    inner = np.s_[50:90, 90:130]
    assert Flows([still, covered]).visible(0, 1)[inner].mean() > 0.9
    strict = Flows([still, covered], allows_shade=False).visible(0, 1)
    assert strict[inner].mean() < 0.1
    assert strict[:, 160:].mean() > 0.98


def test_without_shade_noise_is_no_difference() -> None:
    rng = np.random.default_rng(2)
    still = grain(1)[:HEIGHT, :WIDTH]
    noisy = [np.clip(still + rng.normal(0, 8, still.shape), 0, 255).astype(np.uint8) for _ in range(2)]
    assert Flows(noisy, allows_shade=False).visible(0, 1).mean() > 0.95


def test_the_direction_of_flow() -> None:
    here, there = SCENE.frames[3], np.roll(SCENE.frames[3], 5, axis=1)
    flow = Flows([here, there]).flow(0, 1)
    assert np.median(flow[..., 0]) == pytest.approx(5, abs=0.1)  # here at x looks like there at x + 5
    inner = (slice(10, -10), slice(20, -20))
    assert np.abs(warp(there, flow) - here)[inner].mean() < 2


def test_a_frame_itself_and_frames_without_subject() -> None:
    flows = Flows(SCENE.frames, [None, *SCENE.mattes[1:-1], np.zeros((HEIGHT, WIDTH), np.uint8)])
    assert not flows.flow(2, 2).any()
    assert flows.visible(2, 2).all()
    for i, j in ((1, 0), (0, 1), (COUNT - 1, COUNT - 2), (COUNT - 2, COUNT - 1)):
        assert np.isfinite(flows.flow(i, j)).all()


def test_results_are_kept_forgotten_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    flows = Flows(SCENE.frames)
    first = flows.flow(2, 1)
    assert flows.flow(2, 1) is first
    assert not first.flags.writeable
    flows.forget_before(2)
    again = flows.flow(2, 1)
    assert again is not first
    np.testing.assert_array_equal(again, first)
    monkeypatch.setattr("pochoir.video.flow._KEPT_FLOWS", 2)
    for i in range(1, COUNT):
        flows.flow(i, i - 1)
    assert flows._kept_bytes <= 2 * first.nbytes
    assert flows._kept_bytes == sum(each.nbytes for each in flows._kept.values())


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (17, 3), (64, 64), (700, 30)])
def test_any_size(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (*size, 3), np.uint8) for _ in range(2)]
    flows = Flows(frames, [np.full(size, 255, np.uint8)] * 2)
    assert flows.flow(0, 1).shape == (*size, 2)
    assert flows.visible(0, 1).shape == size
    assert np.isfinite(flows.flow(0, 1)).all()


def test_large_frames_are_searched_on_smaller_copies() -> None:
    large = [cv2.resize(frame, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC) for frame in SCENE.frames[:2]]
    flow = Flows(large).flow(1, 0)
    assert flow.shape == (4 * HEIGHT, 4 * WIDTH, 2)
    true = cv2.resize(SCENE.flow(1, 0).astype(np.float32), (4 * WIDTH, 4 * HEIGHT)) * 4
    assert np.median(np.linalg.norm(flow - true, axis=2)) < 1


def test_pull_push_keeps_sure_values_and_fills_the_rest() -> None:
    values, weight = np.zeros((64, 64, 2), np.float32), np.zeros((64, 64), np.float32)
    values[:, :20], weight[:, :20] = (3, -1), 1
    values[:, 40:], weight[:, 40:] = (5, 2), 1
    values[:, 20:40] = 1000  # without weight, it does not count
    filled = pull_push(values, weight)
    np.testing.assert_allclose(filled[:, 5], [[3, -1]] * 64, atol=0.1)
    np.testing.assert_allclose(filled[:, 60], [[5, 2]] * 64, atol=0.1)
    assert (filled[:, 25:35, 0] > 2.5).all()
    assert (filled[:, 25:35, 0] < 5.5).all()
    np.testing.assert_allclose(pull_push(values[..., :1], weight), filled[..., :1], atol=1e-5)


def test_warp_samples_with_lanczos_and_does_not_overshoot() -> None:
    picture = np.zeros((20, 30, 3), np.float32)
    picture[:, 15:] = 1
    shift = np.zeros((20, 30, 2), np.float32)
    np.testing.assert_array_equal(warp(picture, shift), picture)
    half = warp(picture, shift + np.float32([0.5, 0]))
    assert half.min() == 0
    assert half.max() == 1
    assert half[10, 14, 0] == pytest.approx(0.5, abs=0.01)
    moved = warp(picture, shift + np.float32([3, 0]), interpolation="nearest")
    np.testing.assert_array_equal(moved[:, :-3], picture[:, 3:])


def test_warp_takes_any_number_of_channels() -> None:
    values = np.random.default_rng(0).random((12, 16, 7), np.float32)
    flow = np.full((12, 16, 2), 0.3, np.float32)
    together = warp(values, flow)
    for channel in range(7):
        np.testing.assert_allclose(together[..., channel], warp(values[..., channel], flow), atol=0.05)
    assert warp(values[..., :1], flow).shape == (12, 16, 1)
    assert warp(values[..., 0].astype(np.float64), flow, interpolation="linear").dtype == np.float32


def test_repeated_warps_keep_detail() -> None:
    picture = SCENE.frames[0].astype(np.float32) / 255
    there, back = np.full((HEIGHT, WIDTH, 2), 0.37, np.float32), np.full((HEIGHT, WIDTH, 2), -0.37, np.float32)
    out = {}
    for way in ("lanczos", "linear"):
        now = picture
        for _ in range(10):
            now = warp(warp(now, there, interpolation=way), back, interpolation=way)
        out[way] = np.abs(now - picture)[10:-10, 10:-10].mean()
    assert out["lanczos"] < 0.35 * out["linear"]


def test_bad_input() -> None:
    with pytest.raises(OptionError, match="interpolation is one of nearest, linear, lanczos"):
        warp(np.zeros((4, 4)), np.zeros((4, 4, 2), np.float32), interpolation="cubic")
    with pytest.raises(ShapeError, match="shape"):
        warp(np.zeros((4, 4)), np.zeros((4, 4), np.float32))
