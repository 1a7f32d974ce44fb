"""Writers of moving pictures: what is read back is what was written."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from pochoir import video
from pochoir._types import Size
from pochoir.errors import MissingExtraError, OptionError, OutputPathError, WriteError
from pochoir.video import Film

COUNT, SIZE = 12, Size(33, 47)  # odd on both sides
RECORD = json.dumps({"pochoir": "0", "name": 'ä <&> "' + "x" * 600})


def draw(index: int, *, alpha: bool) -> np.ndarray:
    """A disc that moves over a gradient; with alpha its soft edge is transparent outside."""
    y, x = np.mgrid[0 : SIZE.height, 0 : SIZE.width].astype(np.float32)
    inside = np.clip(9 - np.hypot(x - 10 - 2 * index, y - 16), 0, 1)
    back = np.stack([x * 5, y * 7, np.full_like(x, 90)], -1)
    color = inside[..., None] * np.float32([230, 60, 20]) + (0 if alpha else 1 - inside[..., None]) * back
    if not alpha:
        return np.rint(color).astype(np.uint8)
    full = np.broadcast_to(np.float32([230, 60, 20]), color.shape)
    return np.rint(np.dstack([full, inside * 255])).astype(np.uint8)


def film(*, alpha: bool = False, **more: object) -> Film:
    options = {"count": COUNT, "size": SIZE, "fps": 24.0, "record": RECORD} | more
    options.setdefault("frames", (draw(index, alpha=alpha) for index in range(options["count"])))
    return Film(alpha=alpha, **options)


def read(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with Image.open(path) as image:
        shown = [(np.array(frame.convert("RGBA")), frame.info["duration"]) for frame in ImageSequence.Iterator(image)]
    return [frame for frame, _ in shown], [delay for _, delay in shown]


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png", ".avif", ".mp4", ".webm", ".mov", ".json", ""])
def test_every_format_keeps_the_record(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    assert video.save(path, film()) == path
    assert video.read_film_record(path) == RECORD
    names = {entry.name for entry in tmp_path.iterdir()}
    assert names == ({"clip.json", "clip.png"} if suffix == ".json" else {path.name})  # no draft is left


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png", ".avif"])
def test_frames_are_shown_for_as_long_as_was_asked(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    video.save(path, film(count=24))
    frames, delays = read(path)
    assert len(frames) == 24
    assert sum(delays) == 1000  # 24 frames at 24 a second, though a GIF counts in hundredths
    assert max(delays) - min(delays) <= (10 if suffix == ".gif" else 1)


def test_still_surroundings_stay_still_in_webp(tmp_path: Path) -> None:
    ground = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    frames = []
    for index in range(COUNT):
        frame = ground.copy()
        frame[8:24, 2 * index : 2 * index + 16] = (230, 60, 20)
        frames.append(frame)
    video.save(tmp_path / "clip.webp", film(frames=iter(frames), size=Size(96, 96)))
    shown, _ = read(tmp_path / "clip.webp")
    assert all(np.array_equal(frame[40:], shown[0][40:]) for frame in shown)


@pytest.mark.parametrize(("suffix", "worst"), [(".png", 0), (".webp", 0), (".avif", 40)])
def test_alpha_comes_back(tmp_path: Path, suffix: str, worst: int) -> None:
    path = tmp_path / f"clip{suffix}"
    video.save(path, film(alpha=True))
    frames, _ = read(path)
    for index, frame in enumerate(frames):
        difference = np.abs(frame[..., 3].astype(int) - draw(index, alpha=True)[..., 3])
        assert difference.max() <= worst
        assert difference.mean() < 1


def test_gif_alpha_is_on_or_off(tmp_path: Path) -> None:
    path = tmp_path / "clip.gif"
    video.save(path, film(alpha=True))
    for index, frame in enumerate(read(path)[0]):
        np.testing.assert_array_equal(frame[..., 3] == 255, draw(index, alpha=True)[..., 3] >= 128)


def test_apng_is_exact_and_gif_is_close(tmp_path: Path) -> None:
    video.save(tmp_path / "clip.png", film())
    video.save(tmp_path / "clip.gif", film())
    exact, close = read(tmp_path / "clip.png")[0], read(tmp_path / "clip.gif")[0]
    for index in range(COUNT):
        wanted = draw(index, alpha=False)
        np.testing.assert_array_equal(exact[index][..., :3], wanted)
        assert np.abs(close[index][..., :3].astype(int) - wanted).mean() < 12  # 255 colours


def test_gif_palette_also_comes_from_an_iterator_without_random_access(tmp_path: Path) -> None:
    video.save(tmp_path / "one.gif", film())
    video.save(tmp_path / "two.gif", film(sample=lambda index: draw(index, alpha=False)))
    assert len(read(tmp_path / "one.gif")[0]) == len(read(tmp_path / "two.gif")[0]) == COUNT


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mov"])
def test_videos_have_even_sides_and_true_colors(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    video.save(path, film(fps=30000 / 1001))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == Fraction(30000, 1001)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == COUNT
    # 4:2:0 shares chroma between two pixels a side; ProRes 4444 does not.
    assert frames[0].shape == ((33, 47, 3) if suffix == ".mov" else (34, 48, 3))
    for index in (0, COUNT - 1):
        difference = np.abs(frames[index][:33, :47].astype(int) - draw(index, alpha=False))
        assert np.median(difference) <= 4  # a wrong matrix or range shifts all colours by ten and more


@pytest.mark.parametrize(("suffix", "decoder"), [(".webm", "libvpx-vp9"), (".mov", "prores")])
def test_video_alpha_comes_back(tmp_path: Path, suffix: str, decoder: str) -> None:
    path = tmp_path / f"clip{suffix}"
    video.save(path, film(alpha=True))
    codec = av.CodecContext.create(decoder, "r")
    shown = []
    with av.open(str(path)) as container:
        codec.extradata = container.streams.video[0].codec_context.extradata
        for packet in container.demux(video=0):
            shown += [frame.reformat(format="rgba").to_ndarray() for frame in codec.decode(packet)]
    assert len(shown) == COUNT
    for index, frame in enumerate(shown):
        difference = np.abs(frame[:33, :47, 3].astype(int) - draw(index, alpha=True)[..., 3])
        assert difference.mean() < 3


def test_a_film_is_the_same_bytes_twice(tmp_path: Path) -> None:
    for suffix in (".webp", ".gif", ".png", ".avif", ".mp4", ".webm", ".mov"):
        for name in ("a", "b"):
            video.save(tmp_path / f"{name}{suffix}", film())
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes(), suffix


def test_playing_once_is_written(tmp_path: Path) -> None:
    for suffix in (".webp", ".png"):
        video.save(tmp_path / f"clip{suffix}", film(loop=False))
        with Image.open(tmp_path / f"clip{suffix}") as image:
            assert image.info["loop"] == 1
    video.save(tmp_path / "clip.gif", film(loop=False))
    assert b"NETSCAPE" not in (tmp_path / "clip.gif").read_bytes()


def test_sprite_sheet_holds_the_frames_where_the_json_says(tmp_path: Path) -> None:
    video.save(tmp_path / "run.json", film(alpha=True))
    told = json.loads((tmp_path / "run.json").read_text())
    with Image.open(tmp_path / told["meta"]["image"]) as sheet:
        pixels = np.array(sheet)
    assert len(told["frames"]) == COUNT
    for index, entry in enumerate(told["frames"]):
        box = entry["frame"]
        cell = pixels[box["y"] : box["y"] + box["h"], box["x"] : box["x"] + box["w"]]
        np.testing.assert_array_equal(cell, draw(index, alpha=True))
    assert sum(entry["duration"] for entry in told["frames"]) == 500


def test_folder_replaces_its_own_frames_only(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    video.save(folder, film())
    video.save(folder, film(count=3))
    assert sorted(path.name for path in folder.glob("*.png")) == [f"frame-{n:04d}.png" for n in (1, 2, 3)]
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(OutputPathError, match=r"letter\.txt"):
        video.save(folder, film())
    assert (folder / "letter.txt").read_text() == "mine"


class StopError(Exception):
    """Stands for an interrupt in the middle of a film."""


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png", ".avif", ".mp4", ".webm", ".mov", ".json", ""])
def test_an_interrupted_film_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    video.save(path, film())
    before = {entry.name: entry.read_bytes() for entry in tmp_path.rglob("*") if entry.is_file()}

    def frames() -> Iterator[np.ndarray]:
        for index in range(5):
            yield draw(index, alpha=False)
        raise StopError

    with pytest.raises(StopError):
        video.save(path, Film(frames=frames(), count=COUNT, size=SIZE, fps=24.0))
    assert {entry.name: entry.read_bytes() for entry in tmp_path.rglob("*") if entry.is_file()} == before


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png", ".avif", ".mp4", ".webm", ".mov"])
def test_writers_hold_a_few_frames_at_a_time(tmp_path: Path, suffix: str) -> None:
    made: list[int] = []
    ahead: list[int] = []
    alive = [0]

    class Counted(np.ndarray):
        def __del__(self) -> None:
            if self.base is not None and getattr(self, "mine", False):
                alive[0] -= 1

    def frames() -> Iterator[np.ndarray]:
        for index in range(60):
            frame = draw(index % COUNT, alpha=False).view(Counted)
            frame.mine = True
            alive[0] += 1
            made.append(index)
            ahead.append(alive[0])
            yield frame
            del frame

    video.save(tmp_path / f"clip{suffix}", Film(frames=frames(), count=60, size=SIZE, fps=24.0))
    assert len(made) == 60
    assert max(ahead) <= 12


def test_bad_outputs_get_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputPathError, match=r"'\.avi'.*allowed: \.webp"):
        video.save(tmp_path / "clip.avi", film())
    with pytest.raises(OutputPathError, match=r"\.mp4 holds no transparency; use \.webp"):
        video.save(tmp_path / "clip.mp4", film(alpha=True))
    with pytest.raises(OptionError, match="up to 50 frames a second; got 60"):
        video.save(tmp_path / "clip.gif", film(fps=60.0))
    with pytest.raises(OptionError, match="1 to 100; got 0"):
        video.save(tmp_path / "clip.webp", film(), quality=0)
    with pytest.raises(WriteError, match="Cannot write"):
        video.save(tmp_path / "missing" / "clip.webp", film())
    with pytest.raises(OutputPathError, match="does not exist"):
        video.check_film_output(tmp_path / "missing" / "clip.webp", alpha=False, fps=24)
    with pytest.raises(OutputPathError, match="is an input"):
        video.check_film_output(tmp_path / "a.png", alpha=False, fps=24, inputs=[tmp_path / "a.png"])
    with pytest.raises(OutputPathError, match="is an input"):
        video.check_film_output(tmp_path / "a.json", alpha=False, fps=24, inputs=[tmp_path / "a.png"])
    monkeypatch.setattr("pochoir.video.write.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pochoir\[video\]"):
        video.save(tmp_path / "clip.mp4", film())
    assert not list(tmp_path.iterdir())


def test_a_missing_record_is_told(tmp_path: Path) -> None:
    from pochoir.errors import InputError

    for suffix in (".webp", ".gif", ".png", ".mp4", ".json", ""):
        video.save(tmp_path / f"clip{suffix}", film(record=None))
        with pytest.raises(InputError, match="holds no recipe"):
            video.read_film_record(tmp_path / f"clip{suffix}")
    with pytest.raises(InputError, match="no such file"):
        video.read_film_record(tmp_path / "none.webp")
    (tmp_path / "bad.webp").write_bytes(b"RIFF")
    with pytest.raises(InputError, match="Cannot read the recipe"):
        video.read_film_record(tmp_path / "bad.webp")
