"""Whole films: keys, carrying, order, memory, and resuming."""

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from pochoir import scene as scene_module
from pochoir._types import Size
from pochoir.encoders import tiny_encoder
from pochoir.errors import InputError
from pochoir.faces import Face
from pochoir.recipe import Recipe
from pochoir.segmentation import Segmentation
from pochoir.sequence import frames as frames_module
from pochoir.sequence import painter as painter_module
from pochoir.sequence import production as production_module
from pochoir.sequence.events import Advanced, Shown
from pochoir.sequence.frames import Drawings
from pochoir.sequence.painter import STYLE_GAIN, FramePainter
from pochoir.sequence.production import Production
from pochoir.sequence.settings import VideoSettings
from pochoir.sequence.shots import KEY
from pochoir.sequence.steady import MOST_REPEATS, PASSES
from pochoir.sequence.store import FolderStore, MemoryStore
from pochoir.sources import Sources, load_sources
from support.drawn_films import HEIGHT, WIDTH, ListVideo, pan, texture, walk

QUICK = {
    "steps": 3,
    "keep": "none",
    "content_layers": ("relu3_1",),
    "style_layers": ("relu1_1", "relu2_1", "relu3_1"),
}
STYLE = [texture(20, 40, 40)]
STYLES = {"subject_style": [texture(21, 40, 44)], "background_style": [texture(22, 44, 40)]}


class KnownSubject:
    """A segmenter that finds the ball of ``walk`` by the frame."""

    name = "known"

    def __init__(self, frames: list[np.ndarray], mattes: list[np.ndarray]) -> None:
        self.pairs = list(zip(frames, mattes, strict=True))

    def segment(self, photo: Any) -> Segmentation:
        seen = (photo[0].permute(1, 2, 0) * 255).round().numpy()
        matte = next(matte for frame, matte in self.pairs if np.array_equal(frame, seen))
        return Segmentation(torch.from_numpy(matte / np.float32(255))[None, None], self.name)


def read(frames: list[np.ndarray], **changes: Any) -> tuple[Recipe, Sources]:
    pictures = {name: changes.pop(name) for name in ("style", "subject_style", "background_style") if name in changes}
    names = {name: ["<image>"] * len(group) for name, group in pictures.items()}
    recipe = Recipe(**(QUICK | names | changes))
    return recipe, load_sources(frames[0], recipe, pictures)


def make(
    frames: list[np.ndarray],
    mattes: list[np.ndarray] | None = None,
    *,
    store: Any = None,
    workers: int = 0,
    video: dict[str, Any] | None = None,
    **changes: Any,
) -> Production:
    recipe, sources = read(frames, **changes)
    return Production(
        ListVideo(frames),
        sources,
        recipe,
        VideoSettings(**({"keys": 4} | (video or {}))),
        store or MemoryStore(),
        encoder=tiny_encoder(),
        segmenter=None if mattes is None else KnownSubject(frames, mattes),
        workers=workers,
        threads=1,
    )


def film_of(production: Production) -> np.ndarray:
    return np.stack(list(production.frames()))


@pytest.fixture(scope="module")
def ball() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Nine frames of a ball before a still camera, and its mattes as the film tracks them."""
    frames, mattes = walk(9)
    return frames, [frame[..., 0] for frame in make(frames, mattes, video={"form": "matte"}).frames()]


@pytest.fixture(scope="module")
def painted_ball(ball) -> np.ndarray:
    """The ball in two styles."""
    return film_of(make(*walk(9), **STYLES))


def shown_by(production: Production) -> list[Shown]:
    return [event for event in production.events() if isinstance(event, Shown)]


class TestFilm:
    def test_every_frame_is_painted_in_order(self):
        frames = pan(11)
        events = list(make(frames, style=STYLE, video={"keys": None}).events())
        shown = [event for event in events if isinstance(event, Shown)]
        assert [event.index for event in shown] == list(range(11))
        assert [float(event.time_s) for event in shown] == pytest.approx([at / 25 for at in range(11)])
        assert {event.pixels.shape for event in shown} == {(HEIGHT, WIDTH, 3)}
        changes = [np.abs(event.pixels.astype(int) - frame).mean() for event, frame in zip(shown, frames, strict=True)]
        assert min(changes) > 5.0
        keys = [event for event in events if isinstance(event, Advanced) and event.stage == "keys"]
        assert 2 < len(keys) < 8
        assert (keys[-1].done, keys[-1].total) == (11, 11)

    def test_the_painting_follows_the_motion(self):
        frames = pan(5)
        film = film_of(make(frames, style=STYLE)).astype(float)
        alone = [film_of(make([frame], style=STYLE))[0].astype(float) for frame in frames[:3]]

        def change(pictures: Any) -> float:
            pairs = pairwise(pictures)
            return float(np.mean([np.abs(one[:, 2:-2] - other[:, :-4]).mean() for one, other in pairs]))

        assert change(film) < 0.7 * change(alone)

    def test_same_request_same_bytes_side_by_side_or_not(self, painted_ball):
        for workers in (0, 3):
            assert np.array_equal(film_of(make(*walk(9), workers=workers, **STYLES)), painted_ball)

    def test_each_region_has_its_style(self, ball, painted_ball):
        other = film_of(make(*walk(9), **(STYLES | {"subject_style": [255 - texture(25, 40, 40)]})))
        change = np.abs(painted_ball.astype(float) - other).mean(axis=-1)
        for at, matte in enumerate(ball[1]):
            assert change[at][matte == 255].mean() > 3 * change[at][matte == 0].mean()

    def test_a_kept_region_is_the_source_bit_for_bit(self, ball):
        film = film_of(make(*walk(9), subject_style=STYLES["subject_style"]))
        for frame, matte, painted in zip(*ball, film, strict=True):
            assert np.array_equal(painted[matte == 0], frame[matte == 0])
            assert np.abs(painted[matte == 255].astype(int) - frame[matte == 255]).mean() > 5

    def test_a_still_background_is_still_bit_for_bit(self, ball, painted_ball):
        never = np.stack(ball[1]).max(axis=0) == 0
        core = cv2.erode(never.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        still = (painted_ball == painted_ball[0]).all(axis=(0, 3))
        assert still[core].mean() > 0.95
        assert not still[ball[1][0] == 255].any()

    def test_a_cut_begins_anew(self):
        frames = [*[texture(0, HEIGHT, WIDTH)] * 8, *[255 - texture(9, HEIGHT, WIDTH)] * 8]
        production = make(frames, style=STYLE, video={"keys": None})
        film = film_of(production)
        assert production.store.read_cuts() == (0, 8)
        assert np.array_equal(film[8:], film_of(make(frames[8:], style=STYLE, video={"keys": None})))

    def test_twos_show_each_drawing_twice(self):
        shown = shown_by(make(pan(7, step_px=1), video={"on": 2}, style=STYLE))
        assert [event.index for event in shown] == list(range(7))
        same = [np.array_equal(one.pixels, two.pixels) for one, two in pairwise(shown)]
        assert same == [True, False] * 3

    def test_start_and_end_choose_frames(self):
        frames = pan(12)
        film = film_of(make(frames, video={"start": 0.16, "end": 0.32}, style=STYLE))
        assert np.array_equal(film, film_of(make(frames[4:8], style=STYLE)))
        with pytest.raises(InputError, match="has no frames between the start and the end"):
            film_of(make(frames, video={"start": 9.0}, style=STYLE))

    def test_keys_at_a_distance(self):
        production = make(pan(10, step_px=1), style=STYLE, size=48)
        assert film_of(production).shape == (10, 32, 48, 3)
        assert [at for at in range(10) if production.store.read_picture(KEY, at) is not None] == [0, 4, 8, 9]
        reads = production.video.reads
        assert reads == sorted(set(reads))  # each frame is decoded once, and the video never goes back

    @pytest.mark.parametrize("color", ["photo", "match"])
    def test_colours_that_follow_the_photo(self, color):
        frames = np.stack(pan(5))
        film = film_of(make(list(frames), style=STYLE, color=color))
        assert np.abs(film.mean(axis=(1, 2)) - frames.mean(axis=(1, 2))).max() < 25
        if color == "photo":
            chroma = [picture[..., 0].astype(int) - picture[..., 2] for picture in (film, frames)]
            assert np.abs(chroma[0] - chroma[1]).mean() < 8


class TestForms:
    def test_a_matte(self, ball):
        production = make(*walk(9), video={"form": "matte"})
        film = film_of(production)
        assert film.shape == (9, HEIGHT, WIDTH, 3)
        assert np.abs(film[..., 0].astype(int) - np.stack(walk(9)[1])).mean() < 4
        assert all(production.store.read_picture(KEY, at) is None for at in range(9))

    @pytest.mark.parametrize("styles", [{}, {"subject_style": STYLES["subject_style"]}])
    def test_a_cutout(self, styles, ball):
        film = film_of(make(*walk(9), backdrop="transparent", **styles))
        assert film.shape == (9, HEIGHT, WIDTH, 4)
        assert np.array_equal(film[..., 3], np.stack(ball[1]))
        inside = np.stack(ball[1]) == 255
        changed = np.abs(film[..., :3].astype(int) - np.stack(ball[0]))[inside].mean()
        assert changed > 5 if styles else changed < 1

    def test_frames_without_a_subject(self):
        frames, mattes = walk(4)
        ground = texture(1, HEIGHT, WIDTH)
        frames, mattes = [*frames, *[ground] * 8], [*mattes, *[np.zeros((HEIGHT, WIDTH), np.uint8)] * 8]
        production = make(frames, mattes, subject_style=STYLES["subject_style"], video={"keys": 5})
        assert np.array_equal(film_of(production)[-1], ground)
        assert any("no subject was found in frames" in note for note in production.notes)

    def test_a_subject_that_comes_into_the_picture(self):
        """It is too small to be painted in some frames, and goes with the background there."""
        ground = texture(1, HEIGHT, WIDTH)
        frames, mattes = [], []
        for at in range(6):
            matte = np.zeros((HEIGHT, WIDTH), np.uint8)
            matte[10:30, : max(0, 5 * at - 3)] = 255
            frames.append(np.where(matte[..., None] > 0, np.uint8(255) - ground, ground))
            mattes.append(matte)
        mattes[1][20:23, 3:6] = 255  # nine pixels
        film = film_of(make(frames, mattes, video={"keys": 1}, **STYLES))
        assert np.abs(film.astype(int) - np.stack(frames)).mean(axis=(1, 2, 3)).min() > 5

    @pytest.mark.parametrize("size", [(48, 72), (20, 31), (16, 90)])
    def test_single_frames_and_small_ones(self, size):
        frames = [texture(seed, *size) for seed in (1, 1, 2)]
        assert film_of(make(frames[:1], style=STYLE)).shape == (1, *size, 3)
        assert film_of(make(frames, style=STYLE, video={"keys": 1})).shape == (3, *size, 3)


class TestResuming:
    def test_a_killed_run_comes_to_the_same_bytes(self, painted_ball, tmp_path):
        events = make(*walk(9), store=FolderStore(tmp_path / "parts", "key"), **STYLES).events()
        for event in events:
            if isinstance(event, Shown):
                break
        events.close()
        seen = list(make(*walk(9), store=FolderStore(tmp_path / "parts", "key"), **STYLES).events())
        assert np.array_equal(painted_ball, [event.pixels for event in seen if isinstance(event, Shown)])
        resumed = [event.resumed for event in seen if isinstance(event, Advanced) and event.stage == "keys"]
        assert resumed == [True, True, False]

    def test_a_damaged_key_is_painted_again(self, tmp_path):
        frames, place = pan(5), tmp_path / "parts"
        first = film_of(make(frames, store=FolderStore(place, "key"), style=STYLE))
        (damaged, *_) = sorted(place.glob("key-*.png"))
        damaged.write_bytes(b"broken")
        assert np.array_equal(first, film_of(make(frames, store=FolderStore(place, "key"), style=STYLE)))


def test_a_bounded_number_of_frames_is_in_memory(monkeypatch):
    monkeypatch.setattr(frames_module, "_KEPT_BYTES", 0)
    monkeypatch.setattr(frames_module, "_LEAST_KEPT", 8)
    made: list[Drawings] = []
    kept: list[int] = []

    class Watched(Drawings):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr(production_module, "Drawings", Watched)
    production = make([texture(0, HEIGHT, WIDTH)] * 80, style=STYLE, video={"keys": 6}, size=48, steps=1)
    for event in production.events():
        if isinstance(event, Shown):
            kept.append(len(made[0]._kept) + len(made[0]._moments))
    assert 0 < max(kept) <= 24 + MOST_REPEATS * (PASSES + 1)


def test_later_keys_count_style_more_than_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, mattes = walk(2)
    recipe, sources = read(frames, **STYLES, style_weight=2.0)
    painter = FramePainter(sources, recipe, Size(HEIGHT, WIDTH), encoder=tiny_encoder())
    frame, weights = painter.frame(frames[0], mattes[0]), []
    paint = painter_module.iter_paint

    def record(photo: Any, regions: Any, encoder: Any, settings: Any, **more: Any) -> Any:
        weights.append(settings.style_weight)
        return paint(photo, regions, encoder, settings, **more)

    monkeypatch.setattr(painter_module, "iter_paint", record)
    painter.paint_first(frame)
    painter.paint_next(frame, frames[0].astype(np.float32), *(np.ones((HEIGHT, WIDTH), np.float32),) * 2)
    assert weights == [2.0, 2.0 * STYLE_GAIN]


def test_only_regions_that_are_not_all_seen_are_painted_at_half_size(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, mattes = walk(2)
    recipe, sources = read(frames, **STYLES)
    painter = FramePainter(sources, recipe, Size(HEIGHT, WIDTH), encoder=tiny_encoder())
    frame = painter.frame(frames[0], mattes[0])
    calls: list[tuple[int, int]] = []
    paint = painter_module.iter_paint

    def record(photo: Any, regions: Any, encoder: Any, settings: Any, **more: Any) -> Any:
        calls.append((len(regions), len(settings.schedule)))
        return paint(photo, regions, encoder, settings, **more)

    monkeypatch.setattr(painter_module, "iter_paint", record)
    before, all_seen = frames[0].astype(np.float32), np.ones((HEIGHT, WIDTH), np.float32)
    painter.paint_next(frame, before, all_seen, all_seen)
    painter.paint_next(frame, before, (mattes[0] < 128).astype(np.float32), all_seen)
    painter.paint_next(frame, before, 0 * all_seen, all_seen)
    assert calls == [(2, 1), (1, 2), (2, 1), (2, 2), (2, 1)]


def test_a_face_that_the_detector_misses_in_a_later_key_is_kept_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a small face has features in one key and none in the next."""
    frames, found = pan(9), iter([(Face(30.0, 12.0, 20.0, 20.0, 0.9),), (), ()])
    monkeypatch.setattr(scene_module, "choose_mode", lambda recipe: "on" if recipe.keep == "faces" else "off")
    monkeypatch.setattr(scene_module, "find_faces", lambda photo: next(found))
    protected, paint = [], painter_module.iter_paint

    def record(*given: Any, **more: Any) -> Any:
        content = more["emphasis"].content[0, 0].numpy()
        protected.append(float((content * np.arange(WIDTH)).sum() / content.sum()))
        assert content.max() > 2.0
        return paint(*given, **more)

    monkeypatch.setattr(painter_module, "iter_paint", record)
    film_of(make(frames, style=STYLE, keep="faces"))
    keys = [protected[0], protected[-1]]
    assert len(protected) >= 3
    assert keys[1] < keys[0] - 2.0  # it moves to the left with the picture
