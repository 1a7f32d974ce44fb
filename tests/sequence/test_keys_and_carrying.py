"""Choice of keys, carrying between them, and the plate of a still camera."""

import numpy as np
import pytest

from pochoir.faces import Face
from pochoir.sequence.carry import between, carry, carry_faces, fill
from pochoir.sequence.keys import (
    LEAST_SEEN,
    LEAST_SEEN_NEAR,
    LEAST_SUBJECT_SEEN,
    MOST_DISTANCE,
    NEAR_DISTANCE,
    SUBJECT_DISTANCE,
    choose_next,
    seen_both_ways,
)
from pochoir.sequence.plate import begin_plate
from pochoir.video.flow import Flows
from pochoir.video.warping import warp
from support.drawn_films import HEIGHT, WIDTH, pan, texture, walk


def shifted(picture: np.ndarray, by_px: float) -> np.ndarray:
    """A painting of the wide ground, seen ``by_px`` further left in each frame."""
    return picture[:, round(by_px) : round(by_px) + WIDTH]


class TestKeys:
    def test_a_still_shot_has_the_furthest_key(self):
        frames = [texture(0, HEIGHT, WIDTH)] * 40
        assert choose_next(Flows(frames), 3, 39) == 3 + MOST_DISTANCE
        assert choose_next(Flows(frames), 3, 8) == 8

    def test_the_key_is_the_furthest_that_enough_is_seen_of(self):
        frames = pan(14, step_px=1)
        flows = Flows(frames)
        chosen = choose_next(flows, 0, 13)
        assert NEAR_DISTANCE < chosen < MOST_DISTANCE
        assert seen_both_ways(flows, 0, chosen) >= LEAST_SEEN > seen_both_ways(flows, 0, chosen + 1)

    def test_fast_motion_has_a_key_in_every_frame(self):
        frames = [texture(seed, HEIGHT, WIDTH) for seed in range(4)]
        assert choose_next(Flows(frames), 0, 3) == 1

    def test_what_passes_close_to_the_camera_asks_for_no_key_in_every_frame(self):
        frames = [texture(0, HEIGHT, WIDTH) for _ in range(13)]
        for at, frame in enumerate(frames):
            frame[:, 20:42] = texture(20 + at, HEIGHT, 22)
        flows = Flows(frames)
        assert LEAST_SEEN_NEAR < seen_both_ways(flows, 0, 1) < LEAST_SEEN
        assert choose_next(flows, 0, 12) == NEAR_DISTANCE
        assert choose_next(flows, 0, 2) == 2

    def test_a_small_subject_that_changes_has_nearer_keys(self):
        ground, square = texture(0, HEIGHT, WIDTH), np.s_[30:46, 40:56]
        frames = [ground.copy() for _ in range(13)]
        for at, frame in enumerate(frames):
            frame[square] = texture(20 + at, 16, 16)
        subject = np.zeros((HEIGHT, WIDTH), np.float32)
        subject[square] = 1.0
        flows = Flows(frames)
        assert seen_both_ways(flows, 0, 12) >= LEAST_SEEN
        assert seen_both_ways(flows, 0, 12, (subject, subject)) < LEAST_SUBJECT_SEEN
        assert choose_next(flows, 0, 12) == 12
        assert choose_next(flows, 0, 12, subjects=[subject] * 13) == SUBJECT_DISTANCE
        assert choose_next(flows, 0, 3, subjects=[subject] * 13) == 3

    def test_a_subject_that_stays_or_is_absent_asks_for_no_key(self):
        frames, subject = [texture(0, HEIGHT, WIDTH)] * 13, np.zeros((HEIGHT, WIDTH), np.float32)
        assert choose_next(Flows(frames), 0, 12, subjects=[subject] * 13) == 12
        subject[30:46, 40:56] = 1.0
        assert choose_next(Flows(frames), 0, 12, subjects=[subject] * 13) == 12

    def test_specks_of_a_matte_ask_for_no_key(self):
        frames, specks = (
            [texture(0, HEIGHT, WIDTH)] * 7 + [texture(5, HEIGHT, WIDTH)] * 6,
            np.zeros((HEIGHT, WIDTH), np.float32),
        )
        specks[30, 40] = 2 / 255
        specks[50:55, 60:65] = 1.0
        assert seen_both_ways(Flows(frames), 0, 12) < LEAST_SEEN
        assert seen_both_ways(Flows(frames), 0, 12, (specks, specks)) == 1.0

    def test_a_subject_that_comes_into_the_picture_asks_for_a_key(self):
        ground, nothing = texture(0, HEIGHT, WIDTH), np.zeros((HEIGHT, WIDTH), np.float32)
        with_subject, subject = ground.copy(), nothing.copy()
        with_subject[30:46, 40:56] = texture(9, 16, 16)
        subject[30:46, 40:56] = 1.0
        frames = [ground] * 7 + [with_subject] * 6
        assert choose_next(Flows(frames), 0, 12, subjects=[nothing] * 7 + [subject] * 6) == 6

    def test_a_fixed_distance_is_kept_up_to_the_end(self):
        flows = Flows(pan(14, step_px=3))
        assert [choose_next(flows, key, 13, every=5) for key in (0, 5, 10)] == [5, 10, 13]


class TestCarrying:
    def test_known_motion_is_followed(self):
        frames, painted = pan(9), texture(7, HEIGHT, WIDTH + 18)
        flows = Flows(frames)
        picture = between((shifted(painted, 0), shifted(painted, 16)), frames, flows, keys=(0, 8), at=3)
        inside = np.s_[4:-4, 8:-18]
        error = np.abs(picture - shifted(painted, 6))[inside]
        still = np.abs(shifted(painted, 0).astype(float) - shifted(painted, 6))[inside]
        assert error.mean() < 4.0 < still.mean() / 4

    def test_a_key_itself_and_still_frames_are_exact(self):
        frames, painted = [texture(0, HEIGHT, WIDTH)] * 4, texture(7, HEIGHT, WIDTH)
        carried = carry(painted, frames, Flows(frames), key=0, to=0)
        assert np.array_equal(carried.picture, painted)
        assert float(carried.weight.min()) == 1.0
        picture = between((painted, painted), frames, Flows(frames), keys=(0, 3), at=1)
        assert np.abs(picture - painted).max() <= 0.5

    def test_the_nearer_key_counts_more(self):
        frames = [texture(0, HEIGHT, WIDTH)] * 5
        black, white = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        flows = Flows(frames)
        levels = [between((black, white), frames, flows, keys=(0, 4), at=at).mean() / 255 for at in (1, 2, 3)]
        assert levels == pytest.approx([0.203, 0.5, 0.797], abs=2e-3)  # eased in and out

    def test_half_way_between_different_strokes_the_contrast_is_theirs(self):
        frames = [texture(0, HEIGHT, WIDTH)] * 3
        rng, base = np.random.default_rng(0), texture(7, HEIGHT, WIDTH) // 2 + 64
        strokes = [np.kron(rng.normal(0, 20, (HEIGHT // 2, WIDTH // 2, 1)), np.ones((2, 2, 3))) for _ in range(2)]
        paintings = [np.clip(base + each, 0, 255).astype(np.uint8) for each in strokes]
        picture = between((paintings[0], paintings[1]), frames, Flows(frames), keys=(0, 2), at=1)
        own = [
            np.std(each - base.astype(float)) for each in (paintings[0], picture, (paintings[0] / 2 + paintings[1] / 2))
        ]
        assert own[2] < 0.75 * own[0]
        assert 0.9 * own[0] < own[1] < 1.05 * own[0]
        same = between((paintings[0], paintings[0]), frames, Flows(frames), keys=(0, 2), at=1)
        assert np.abs(same - paintings[0]).max() <= 0.5

    def test_a_key_that_looks_different_counts_less(self):
        frames = pan(5, step_px=1)
        frames[4][:, 48:] = np.clip(frames[4][:, 48:].astype(int) + 10, 0, 255)
        black, white = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        picture = between((black, white), frames, Flows(frames), keys=(0, 4), at=2)
        assert picture[:, 52:64].mean() < picture[:, 8:36].mean() - 10

    def test_where_nothing_moves_the_painting_does_not_change(self):
        moving = pan(3)
        frames = [moving[0], moving[0], moving[1], moving[2], moving[2]]
        black, white = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        flows = Flows(frames)
        levels = [between((black, white), frames, flows, keys=(0, 4), at=at)[:, 8:-8].mean() for at in (1, 2, 3)]
        assert levels[0] == 0.0
        assert levels[1] == pytest.approx(127.5, abs=10)
        assert levels[2] == 255.0

    def test_the_silhouette_is_the_keys_where_the_flow_is_smooth(self):
        frames = pan(5, step_px=1)
        subject = np.zeros((HEIGHT, WIDTH), np.float32)
        subject[:, :36] = 1.0
        white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        picture = between((white, white), frames, Flows(frames), keys=(0, 4), at=2, subject=subject)
        assert picture[8:-8, 8:-8].min() > 254

    def test_shade_that_moves_over_a_surface_does_not_hide_it(self):
        frames = [texture(0, HEIGHT, WIDTH)] * 2
        shaded = np.clip(frames[0].astype(int) - 20, 0, 255).astype(np.uint8)
        other = texture(5, HEIGHT, WIDTH)
        assert Flows([frames[0], shaded]).visible(1, 0).mean() > 0.4
        assert Flows([frames[0], other]).visible(1, 0).mean() < 0.1

    def test_a_hole_takes_the_frames_forms_in_the_colours_around_it(self):
        frame = texture(0, HEIGHT, WIDTH)
        painted = np.clip(frame.astype(np.float32) + np.float32([40, -30, 10]), 0, 255)
        seen = np.ones((HEIGHT, WIDTH), np.float32)
        seen[20:40, 30:60] = 0.0
        broken = painted.copy()
        broken[20:40, 30:60] = (0, 255, 0)
        filled = fill(broken, seen, frame)
        assert np.array_equal(filled[seen > 0], painted[seen > 0])
        assert np.abs(filled - painted)[20:40, 30:60].mean() < 6.0

    def test_a_hole_takes_no_colour_from_across_the_silhouette(self):
        frame = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        subject = np.zeros((HEIGHT, WIDTH), np.float32)
        subject[:, :48] = 1.0
        painted = np.where(subject[..., None] > 0, np.float32(200), np.float32(50)) * np.ones(3, np.float32)
        seen = np.ones((HEIGHT, WIDTH), np.float32)
        seen[20:40, 30:66] = 0.0
        filled = fill(painted, seen, frame, subject)
        assert np.abs(filled - painted).max() < 2.0
        assert np.abs(fill(painted, seen, frame) - painted).max() > 20.0

    def test_a_matte_keeps_the_styles_apart(self):
        frames, mattes = walk(7, step_px=1)
        grounds = [matte[..., None] / 255 for matte in mattes]
        keys = [(1 - grounds[at]) * (20, 20, 200) + grounds[at] * (240, 220, 20) for at in (0, 6)]
        flows = Flows(frames, mattes)
        picture = between(
            tuple(key.astype(np.uint8) for key in keys),
            frames,
            flows,
            keys=(0, 6),
            at=3,
            subject=mattes[3].astype(np.float32) / 255,
        )
        inside, outside = mattes[3] == 255, mattes[3] == 0
        assert np.median(picture[inside][:, 2]) < 70
        assert np.percentile(picture[outside][:, 2], 5) > 150

    @pytest.mark.parametrize("step_px", [0, 4])
    def test_a_silhouette_is_as_smooth_as_the_frames_where_the_flow_jumps(self, step_px):
        """The flow jumps at a silhouette by whole pixels, the matte does not. Without motion the key is exact."""
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        mattes = [np.clip(WIDTH / 2 + y / 4 - x + step_px * at, 0, 1).astype(np.float32) for at in range(3)]
        frames = [np.rint(90 + 60 * matte)[..., None].repeat(3, 2).astype(np.uint8) for matte in mattes]
        paintings = [
            np.rint(np.where(matte > 0.5, 220.0, 30.0))[..., None].repeat(3, 2).astype(np.uint8) for matte in mattes
        ]

        class Known:
            def flow(self, i, j):
                along = np.where(mattes[i] > 0.5, step_px * (j - i), 0)
                return np.stack([along, np.zeros_like(along)], axis=2).astype(np.float32)

            def visible(self, i, j):
                return (np.abs(warp(mattes[j], self.flow(i, j)) - mattes[i]) < 0.25).astype(np.float32)

        picture = between((paintings[0], paintings[2]), frames, Known(), keys=(0, 2), at=1, subject=mattes[1])
        smooth = 30 + 190 * mattes[1][..., None]
        if step_px:
            assert np.abs(picture - smooth).max() < 30 < np.abs(paintings[1] - smooth).max()
        else:
            assert np.array_equal(picture, paintings[1])


class TestFaces:
    def test_a_face_moves_with_the_picture_until_it_leaves(self):
        flows = Flows(pan(14))
        (moved,) = carry_faces([Face(30, 12, 20, 20, 0.8)], flows, key=0, to=6)
        assert moved == pytest.approx((18, 12, 20, 20, 0.8), abs=1.0)
        assert carry_faces([Face(4, 12, 20, 20, 0.8)], flows, key=0, to=12) == ()

    def test_a_face_that_something_hides_is_dropped(self):
        frames = [texture(0, HEIGHT, WIDTH) for _ in range(2)]
        frames[1][10:34, 28:54] = texture(9, 24, 26)
        hidden, other = Face(30, 12, 20, 20, 0.8), Face(2, 26, 18, 18, 0.7)
        (kept,) = carry_faces([hidden, other], Flows(frames), key=0, to=1)
        assert kept == pytest.approx(other, abs=0.5)


class TestPlate:
    @pytest.mark.parametrize("noise", [0.0, 2.0])
    def test_what_does_not_move_is_still(self, noise):
        frames, mattes = walk(12, noise=noise)
        plate = begin_plate(frames[0], texture(7, HEIGHT, WIDTH))
        still = plate.stillness(frames[8])
        assert still is not None
        moved = (mattes[0] > 0) | (mattes[8] > 0)
        assert still[moved].mean() < 0.2
        assert np.mean(still[~moved] == 1.0) > 0.6
        inside = still == 1.0
        laid = plate.lay(np.zeros((HEIGHT, WIDTH, 3), np.float32), still)
        assert np.array_equal(laid[inside], plate.painting[inside])

    @pytest.mark.parametrize("step_px", [0.5, 2])
    def test_a_camera_that_moves_is_not(self, step_px):
        wide = texture(0, HEIGHT, WIDTH + 8)
        frames = [wide[:, :WIDTH], np.roll(wide, -1, axis=1)[:, :WIDTH] if step_px == 2 else None]
        if step_px < 1:
            half = (wide[:, :WIDTH].astype(float) + wide[:, 1 : WIDTH + 1]) / 2
            frames[1] = half.astype(np.uint8)
        assert begin_plate(frames[0], frames[0]).stillness(frames[1]) is None

    def test_a_camera_that_creeps_is_found_out(self):
        wide = texture(0, HEIGHT, WIDTH + 8).astype(np.float32)
        shifts = [at * 0.02 for at in range(40)]
        frames = [((1 - by) * wide[:, :WIDTH] + by * wide[:, 1 : WIDTH + 1]).round().astype(np.uint8) for by in shifts]
        plate = begin_plate(frames[0], frames[0])
        assert plate.stillness(frames[1]) is not None
        assert plate.stillness(frames[39]) is None
        from_frame_to_frame = begin_plate(frames[38], frames[38])
        assert from_frame_to_frame.stillness(frames[39]) is not None

    def test_a_blank_wall_tells_nothing(self):
        wall = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        assert begin_plate(wall, wall).stillness(wall) is None

    def test_what_is_uncovered_is_learned(self):
        frames, mattes = walk(12)
        paintings = [texture(7, HEIGHT, WIDTH), texture(8, HEIGHT, WIDTH)]
        ground = [matte == 0 for matte in mattes]
        plate = begin_plate(frames[0], paintings[0], ground[0])
        still = plate.stillness(frames[10], ground[10])
        assert still is not None
        assert not still[mattes[0] > 0].any()
        extended = plate.extend(frames[10], paintings[1], still, ground[10])
        uncovered = (mattes[0] > 0) & (mattes[10] == 0)
        assert np.array_equal(extended.painting[uncovered], paintings[1][uncovered])
        hidden = (mattes[10] > 0) & (mattes[0] == 0)
        assert np.array_equal(extended.painting[hidden], paintings[0][hidden])
        assert not extended.known[(mattes[0] > 0) & (mattes[10] > 0)].any()
