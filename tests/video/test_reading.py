"""Reading of videos: times, colours, geometry, random access, and input that is not what it should be."""

import itertools
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pochoir._types import Size
from pochoir.errors import InputError, MissingExtraError
from pochoir.imaging import is_still
from pochoir.video import open_video
from pochoir.video import read as reading
from support import films

UPRIGHT = Size(48, 64)


def difference(rgb: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(rgb.astype(int) - wanted).max())


def test_facts_frames_and_times(tmp_path: Path) -> None:
    path = films.write(tmp_path / "a.mp4", count=25, sound=True)
    with open_video(path) as video:
        info = video.info
        assert (info.size, info.fps, info.frames, info.duration_s) == (UPRIGHT, 25, 25, 1.0)
        assert (info.rotation, info.has_sound, info.is_variable, info.is_hdr) == (0, True, False, False)
        assert info.color[:2] == ("bt709", "limited")
        frames = list(video.frames())
        assert [frame.index for frame in frames] == list(range(25))
        assert [frame.time_s for frame in frames] == [Fraction(index, 25) for index in range(25)]
        assert {frame.duration for frame in frames} == {Fraction(1, 25)}
        assert all(frame.rgb.dtype == np.uint8 and frame.rgb.flags.c_contiguous for frame in frames)
        assert max(difference(frame.rgb, films.draw(frame.index)) for frame in frames) <= 6
        assert video.notes == ()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts", ".h264"])
def test_any_frame_can_be_had_by_its_number(tmp_path: Path, suffix: str) -> None:
    # B-frames and long distances between key frames; AVI and raw streams state no times.
    options = {"crf": "1", "preset": "medium", "g": "10", "bf": "3"}
    path = films.write(tmp_path / f"a{suffix}", count=30, options=options)
    with open_video(path) as video:
        whole = [frame.rgb for frame in video.frames()]
        assert len(whole) == 30
        for index in (0, 7, 8, 29, 3, 19, 20, 20, 11, 0):
            frame = video.frame(index)
            assert frame.index == index
            np.testing.assert_array_equal(frame.rgb, whole[index])
            assert frame.time_s == pytest.approx(index / 25, abs=1e-6)
        with pytest.raises(InputError, match="has no frame 30: the last one is 29"):
            video.frame(30)
        with pytest.raises(InputError, match="counted from 0"):
            video.frame(-1)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".h264"])
def test_a_part_is_the_same_as_in_the_whole(tmp_path: Path, suffix: str) -> None:
    path = films.write(tmp_path / f"a{suffix}", count=30, options={"preset": "medium", "g": "10", "bf": "3"})
    with open_video(path) as video:
        whole = list(video.frames())
        part = list(video.frames(0.48, 0.84))
        assert [frame.index for frame in part] == list(range(12, 21))
        for frame in part:
            np.testing.assert_array_equal(frame.rgb, whole[frame.index].rgb)
        assert part[-1].duration == Fraction(1, 25)
        assert list(video.frames(5.0)) == []
        for wrong in ((-1.0, None), (2.0, 1.0), (float("nan"), None)):
            with pytest.raises(InputError):
                next(video.frames(*wrong))


def test_several_iterators_and_single_frames_do_not_disturb_each_other(tmp_path: Path) -> None:
    with open_video(films.write(tmp_path / "a.mp4")) as video:
        for one, other in itertools.islice(zip(video.frames(), video.frames(0.2), strict=False), 8):
            assert video.frame(19 - one.index).index == 19 - one.index
            assert (one.index, other.index) == (one.index, one.index + 5)


def test_variable_times(tmp_path: Path) -> None:
    pts = [0, 1, 2, 7, 8, 20, 21, 22]
    path = films.write(tmp_path / "a.mkv", count=8, pts=pts, time_base=Fraction(1, 50))
    with open_video(path) as video:
        assert video.info.is_variable
        assert [frame.time_s for frame in video.frames()] == [Fraction(each, 50) for each in pts]
        assert [frame.duration for frame in video.frames()][2] == Fraction(5, 50)
        assert video.frame(5).duration == Fraction(1, 50)


def test_times_start_with_the_first_frame(tmp_path: Path) -> None:
    path = films.write(tmp_path / "a.mkv", count=5, pts=[40, 41, 42, 43, 44])
    with open_video(path) as video:
        assert [frame.time_s for frame in video.frames()] == [Fraction(index, 25) for index in range(5)]


@pytest.mark.parametrize(("rotation", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_frames_are_upright(tmp_path: Path, rotation: int, turns: int) -> None:
    path = films.write(tmp_path / "a.mp4", count=2, rotation=rotation)
    with open_video(path) as video:
        upright = np.rot90(films.draw(1), turns)
        assert video.info.size == Size(*upright.shape[:2])
        assert video.info.rotation == turns * 90
        frame = list(video.frames())[1]
        assert difference(frame.rgb, upright) <= 6
        assert video.frame(1, Size(30, 20)).rgb.shape == (30, 20, 3)


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(2), Size(48, 128)), (Fraction(1, 2), Size(96, 64))])
def test_pixels_are_made_square(tmp_path: Path, aspect: Fraction, size: Size) -> None:
    path = films.write(tmp_path / "a.mp4", count=1, aspect=aspect)
    with open_video(path) as video:
        assert video.info.size == size
        assert video.frame(0).rgb.shape == (*size, 3)


COLORS = [(200, 60, 120), (30, 200, 90), (250, 250, 250), (5, 5, 5), (40, 60, 220), (128, 128, 128)]


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize(("space", "name"), [(1, "bt709"), (5, "bt601"), (9, "bt2020")])
@pytest.mark.parametrize("full", [False, True])
def test_colors_are_right(tmp_path: Path, pixels: str, space: int, name: str, full: bool) -> None:
    patches = np.zeros((32, 96, 3), np.uint8)
    for at, color in enumerate(COLORS):
        patches[:, 16 * at : 16 * at + 16] = color
    path = films.write(tmp_path / "a.mp4", [patches], pixels=pixels, space=space, full=full, options={"qp": "0"})
    with open_video(path) as video:
        assert video.info.color[:2] == (name, "full" if full else "limited")
        for size in (Size(32, 96), Size(16, 48)):
            rgb = video.frame(0, size).rgb
            step = size.width // 6
            for at, color in enumerate(COLORS):
                middle = rgb[size.height // 2, at * step + step // 2]
                assert np.abs(middle.astype(int) - color).max() <= 2, (size, color, middle)


def test_untagged_video_is_read_as_players_do(tmp_path: Path) -> None:
    flat = np.full((592, 64, 3), (200, 60, 120), np.uint8)
    for height, space, name in ((64, 5, "bt601"), (592, 1, "bt709")):
        path = films.write(tmp_path / f"{height}.mkv", [flat[:height]], space=space, tagged=False)
        with open_video(path) as video:
            assert video.info.color.space == name
            assert np.abs(video.frame(0).rgb[30, 30].astype(int) - (200, 60, 120)).max() <= 2


@pytest.mark.parametrize(("transfer", "kind"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_compressed_with_a_note(tmp_path: Path, transfer: int, kind: str) -> None:
    ramp = np.repeat(np.linspace(0, 65535, 64)[None, :, None], 32, 0).repeat(3, 2).astype(np.uint16)
    path = films.write(tmp_path / "a.mkv", [ramp], pixels="yuv420p10le", space=9, transfer=transfer, primaries=9)
    with open_video(path) as video:
        assert video.info.is_hdr
        assert video.notes == (
            f"the video has a high dynamic range ({kind}); light above the white of a page is compressed",
        )
        row = video.frame(0).rgb[16].astype(int)
        assert np.ptp(row, axis=1).max() <= 3  # grey stays grey
        assert (np.diff(row[:, 0]) >= -1).all()
        assert row[0].max() <= 2
        assert row[-1].min() >= 240
        # PQ shows the white of a page (203 nits) at 58 % of its range, HLG near 75 %.
        page = row[int(64 * (0.58 if kind == "PQ" else 0.75))]
        assert 200 <= page.mean() <= 250


def test_frames_of_another_size_are_resized_with_a_note(tmp_path: Path) -> None:
    paths = [tmp_path / "0.ts", tmp_path / "1.ts"]
    films.write(paths[0], count=5, options={"bf": "0"})
    films.write(paths[1], [films.draw(index, 96, 80) for index in range(5)], pts=range(5, 10), options={"bf": "0"})
    joined = tmp_path / "joined.ts"
    joined.write_bytes(paths[0].read_bytes() + paths[1].read_bytes())
    with open_video(joined) as video:
        frames = list(video.frames())
        assert {frame.rgb.shape for frame in frames} == {(48, 64, 3)}
        assert len(frames) >= 9
        assert video.notes == ("frames change their size; they are resized to the first one's, 64x48",)


def test_damage_in_the_middle_leaves_whole_frames_and_a_note(tmp_path: Path) -> None:
    path = films.write(tmp_path / "a.mp4", count=64, options={"crf": "10", "g": "8", "bf": "2"})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    rng = np.random.default_rng(0)
    data[middle : middle + 600] = rng.integers(0, 256, 600, np.uint8).tobytes()
    path.write_bytes(data)
    with open_video(path) as video:
        frames = list(video.frames())
        assert 40 <= len(frames) < 64
        assert frames[0].index == 0
        assert frames[-1].index == 63  # reading goes on after the damage
        for frame in frames:  # whole frames only: no smeared ones
            assert np.abs(frame.rgb.astype(int) - films.draw(frame.index)).mean() < 4
            assert frame.time_s == Fraction(frame.index, 25)
        (note,) = video.notes
        assert "damaged and left out" in note
        missing = next(index for index in range(64) if index not in {frame.index for frame in frames})
        assert video.frame(missing).index < missing  # as players do, the frame before stays on the screen


def test_a_truncated_video_is_read_to_where_it_ends(tmp_path: Path) -> None:
    path = films.write(tmp_path / "a.mkv", count=40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_video(path) as video:
        frames = list(video.frames())
        assert 10 <= len(frames) < 40
        assert [frame.index for frame in frames] == list(range(len(frames)))


def test_one_frame_and_odd_sides(tmp_path: Path) -> None:
    path = films.write(tmp_path / "a.mkv", [films.draw(0, 33, 47)], codec="ffv1", pixels="bgr0")
    with open_video(path) as video:
        assert video.info.size == Size(33, 47)
        (frame,) = video.frames()
        np.testing.assert_array_equal(frame.rgb, films.draw(0, 33, 47))
        assert video.frame(0, Size(17, 24)).rgb.shape == (17, 24, 3)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_animated_pictures_are_videos(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    pictures = [Image.fromarray(films.draw(index)) for index in range(6)]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=[40, 40, 100, 40, 40, 60], loop=0, lossless=True
    )
    with open_video(path) as video:
        assert (video.info.frames, video.info.size, video.info.is_variable) == (6, UPRIGHT, True)
        frames = list(video.frames())
        assert [frame.time_s for frame in frames][2:4] == [Fraction(80, 1000), Fraction(180, 1000)]
        worst = 40 if suffix == ".gif" else 0
        assert max(difference(frame.rgb, films.draw(frame.index)) for frame in frames) <= worst
        np.testing.assert_array_equal(video.frame(4).rgb, frames[4].rgb)
        assert [frame.index for frame in video.frames(0.08, 0.2)] == [2, 3]


def test_transparent_parts_of_an_animated_picture_are_white(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    clear.save(tmp_path / "a.png", save_all=True, append_images=[Image.new("RGBA", (8, 8), (0, 0, 255, 255))])
    with open_video(tmp_path / "a.png") as video:
        assert (video.frame(0).rgb == 255).all()
        assert video.notes == ("transparent parts are laid on white",)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_video(path)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


def test_bad_input_gets_one_line(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "none.mp4")
    assert "it is a folder" in refusal(tmp_path)
    (tmp_path / "empty.mp4").touch()
    assert "the file is empty" in refusal(tmp_path / "empty.mp4")
    (tmp_path / "junk.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    assert "damaged, or not a video" in refusal(tmp_path / "junk.mp4")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    refusal(tmp_path / "list.m3u8")
    sound = tmp_path / "sound.m4a"
    with av.open(str(films.write(tmp_path / "a.mp4", sound=True))) as source, av.open(str(sound), "w") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    assert "has no video stream" in refusal(sound)
    whole = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])  # its table of contents comes last
    refusal(tmp_path / "half.mp4")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".bmp", ".tiff", ".avif"])
def test_a_still_picture_is_sent_to_stylize(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(films.draw(0)).save(path)
    assert refusal(path).endswith("is a still picture; use: pochoir stylize")
    path.rename(tmp_path / "named.mp4")
    assert "still picture" in refusal(tmp_path / "named.mp4")


STILL_HEADS = {
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "heif": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
    "cr3": b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom",
    "raf": b"FUJIFILMCCD-RAW 0201",
    "jxl": b"\xff\x0a\xfa\x1f",
    "dng": b"II*\0\x08\0\0\0",
    "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF",
}


@pytest.mark.parametrize("suffix", STILL_HEADS)
@pytest.mark.parametrize("is_installed", [True, False])
def test_a_still_picture_is_known_without_pyav_and_pillow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, is_installed: bool
) -> None:
    if not is_installed:
        monkeypatch.setitem(sys.modules, "av", None)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(STILL_HEADS[suffix] + bytes(100))
    assert refusal(path).endswith("is a still picture; use: pochoir stylize")


@pytest.mark.parametrize("brand", [b"msf1", b"avis", b"hevc", b"isom"])
def test_sequences_and_videos_are_no_stills(brand: bytes) -> None:
    still, moving = (b"\0\0\0\x18ftyp" + main + b"\0\0\0\0mif1heic" for main in (b"mif1", brand))
    assert is_still(still)
    assert not is_still(moving)


def test_stills_are_known_where_pillow_lacks_a_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(Image.OPEN, "AVIF")
    path = tmp_path / "a.png"
    Image.fromarray(films.draw(0)).save(path)
    assert refusal(path).endswith("is a still picture; use: pochoir stylize")


def test_a_video_that_names_a_picture_brand_as_well_is_a_video(tmp_path: Path) -> None:
    path = films.write(tmp_path / "a.mp4")
    data = path.read_bytes()
    assert data[4:8] == b"ftyp"
    path.write_bytes(data.replace(b"iso2", b"mif1", 1))
    with open_video(path) as opened:
        assert opened.info.frames > 1


def test_video_without_frames(tmp_path: Path) -> None:
    path = tmp_path / "none.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        container.start_encoding()
    assert refusal(path).endswith("it holds no whole frame.")


def test_names_that_look_like_addresses_are_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = films.write(tmp_path / "a.mp4", count=2)
    path.rename(tmp_path / "concat:x%03d é.mp4")
    with open_video("concat:x%03d é.mp4") as video:
        assert len(list(video.frames())) == 2


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = films.write(tmp_path / "a.mp4", count=2)
    monkeypatch.setitem(reading.read_av.__dict__, "av", _missing)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pochoir\[video\]'"):
        open_video(path)
    gif = tmp_path / "a.gif"
    Image.fromarray(films.draw(0)).save(gif, save_all=True, append_images=[Image.fromarray(films.draw(1))])
    with open_video(gif) as video:  # needs Pillow only
        assert video.info.frames == 2


def _missing() -> None:
    from pochoir.video.pyav import av as real

    real()
