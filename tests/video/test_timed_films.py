"""Films with exact times, sound and chosen codecs."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pochoir import video
from pochoir._types import Size
from pochoir.errors import OptionError, UnknownNameError
from pochoir.video import Film, SoundSource
from support import films

COUNT, SIZE = 12, Size(48, 64)
DURATIONS = [Fraction(each, 100) for each in (4, 4, 7, 30, 2, 4, 4, 5, 11, 4, 3, 9)]
CONTAINERS = [".mp4", ".mov", ".mkv", ".webm"]


def film(**more: object) -> Film:
    options: dict[str, object] = {"count": COUNT, "size": SIZE, "fps": 20.0} | more
    return Film(frames=(films.draw(index) for index in range(COUNT)), **options)  # type: ignore[arg-type]


def read_times(path: Path) -> list[Fraction]:
    with video.open_video(path) as shown:
        return [frame.time_s for frame in shown.frames()]


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_variable_times_come_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    video.save(path, film(durations=DURATIONS))
    starts = [sum(DURATIONS[:index], Fraction(0)) for index in range(COUNT)]
    assert read_times(path) == starts  # hundredths are exact in Matroska's milliseconds, too
    with video.open_video(path) as shown:
        assert shown.info.is_variable
        last = list(shown.frames())[-1]
        assert last.duration is not None
        # WebM's and Matroska's last frames carry no duration that FFmpeg would read.
        assert last.duration == DURATIONS[-1] or suffix in (".mkv", ".webm")


def test_a_time_base_keeps_the_sources_times_exact(tmp_path: Path) -> None:
    base = Fraction(1001, 30000)
    video.save(tmp_path / "a.mp4", film(durations=[base * (1 + index % 3) for index in range(COUNT)], time_base=base))
    assert read_times(tmp_path / "a.mp4") == [base * sum(1 + at % 3 for at in range(index)) for index in range(COUNT)]


def test_durations_may_come_with_the_frames(tmp_path: Path) -> None:
    known: list[Fraction] = []

    def frames() -> Iterator[np.ndarray]:
        for index, duration in enumerate(DURATIONS):
            known.append(duration)
            yield films.draw(index)

    def durations() -> Iterator[Fraction]:
        while known:
            yield known.pop(0)

    video.save(tmp_path / "a.mp4", Film(frames(), COUNT, SIZE, 20.0, durations=durations()))
    assert read_times(tmp_path / "a.mp4")[-1] == sum(DURATIONS[:-1])


def test_pictures_take_variable_times_too(tmp_path: Path) -> None:
    for suffix in (".webp", ".gif", ".png"):
        video.save(tmp_path / f"clip{suffix}", film(durations=DURATIONS))
        assert read_times(tmp_path / f"clip{suffix}")[-1] == sum(DURATIONS[:-1])


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_packets_are_copied(tmp_path: Path, suffix: str) -> None:
    source = films.write(tmp_path / "source.mp4", count=25, sound=True)
    path = tmp_path / f"out{suffix}"
    video.save(path, film(fps=12.0, sound=SoundSource(source)))
    assert films.sound_packets(path) == films.sound_packets(source)
    assert video.describe_sound(SoundSource(source), suffix) is None


def test_webm_sound_is_converted_and_said(tmp_path: Path) -> None:
    source = films.write(tmp_path / "source.mp4", count=25, sound=True)
    video.save(tmp_path / "out.webm", film(fps=12.0, sound=SoundSource(source)))
    with av.open(str(tmp_path / "out.webm")) as container:
        assert container.streams.audio[0].codec_context.name == "opus"
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert abs(len(samples) / 48_000 - 1) < 0.05
    spectrum = np.abs(np.fft.rfft(samples[10_000:40_000]))
    assert abs(spectrum.argmax() * 48_000 / 30_000 - 440) < 5  # the tone is still there
    assert video.describe_sound(SoundSource(source), ".webm") == ".webm holds no aac sound; it is converted to Opus"
    assert "no sound" in str(video.describe_sound(SoundSource(source), ".gif"))


def test_a_part_of_the_sound_stays_in_step(tmp_path: Path) -> None:
    source = films.write(tmp_path / "source.mp4", count=50, sound=True)
    video.save(tmp_path / "out.mp4", film(sound=SoundSource(source, 0.5, 1.1)))
    whole, part = films.sound_packets(source), films.sound_packets(tmp_path / "out.mp4")
    at = whole.index(part[0])
    assert whole[at : at + len(part)] == part
    with av.open(str(source)) as container:
        times = [packet.pts * packet.time_base for packet in container.demux(audio=0) if packet.size]
    with av.open(str(tmp_path / "out.mp4")) as container:
        first = next(packet for packet in container.demux(audio=0) if packet.size)
        assert abs(first.pts * first.time_base - (times[at] - Fraction(1, 2))) < Fraction(1, 1000)
    assert len(part) == sum(0.5 <= time < 1.1 for time in times)


def test_the_sound_of_a_partial_film_ends_with_its_picture(tmp_path: Path) -> None:
    source = films.write(tmp_path / "source.mp4", count=100, sound=True)
    whole = films.sound_packets(source)
    for suffix in (".mp4", ".mkv"):
        video.save(tmp_path / f"out{suffix}", film(fps=12.0, sound=SoundSource(source, ends_with_picture=True)))
        part = films.sound_packets(tmp_path / f"out{suffix}")
        assert part == whole[: len(part)]
        assert abs(len(part) * 1024 / 48_000 - 1) < 0.05  # 12 frames are one second


def test_a_source_without_sound_gives_none(tmp_path: Path) -> None:
    source = films.write(tmp_path / "source.mp4")
    video.save(tmp_path / "out.mp4", film(sound=SoundSource(source)))
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio
    assert video.describe_sound(SoundSource(source), ".mp4") is None


@pytest.mark.parametrize(
    ("suffix", "codec", "name", "exact"),
    [
        (".mp4", "x264", "h264", False),
        (".mp4", "h264", "h264", False),
        (".mkv", "vp9", "vp9", False),
        (".mkv", None, "av1", False),
        (".mkv", "ffv1", "ffv1", True),
        (".mov", "qtrle", "qtrle", True),
        (".mov", None, "prores", False),
    ],
)
def test_codecs_can_be_chosen(tmp_path: Path, suffix: str, codec: str | None, name: str, exact: bool) -> None:
    path = tmp_path / f"clip{suffix}"
    video.save(path, film(codec=codec))
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert name in (context.codec.canonical_name, context.name)
        if not exact:
            assert (int(context.colorspace), int(context.color_range)) == (1, 1)
    with video.open_video(path) as shown:
        for frame in shown.frames():
            difference = np.abs(frame.rgb.astype(int) - films.draw(frame.index))
            assert difference.max() == 0 if exact else np.median(difference) <= 3


@pytest.mark.parametrize(
    ("suffix", "codec", "worst"), [(".mov", "qtrle", 0), (".mkv", "ffv1", 0), (".mov", "prores", 2)]
)
def test_alpha_comes_back_exactly(tmp_path: Path, suffix: str, codec: str | None, worst: int) -> None:
    ramp = np.tile(np.arange(0, 256, 4, np.uint8), (48, 1))
    rgba = np.dstack([films.draw(0), ramp])
    path = tmp_path / f"clip{suffix}"
    video.save(path, Film([rgba, rgba], 2, SIZE, 20.0, alpha=True, codec=codec))
    with av.open(str(path)) as container:
        shown = [frame.reformat(format="rgba").to_ndarray() for frame in container.decode(video=0)]
    assert np.abs(shown[1][..., 3].astype(int) - rgba[..., 3]).max() <= worst


def test_same_bytes_for_every_codec(tmp_path: Path) -> None:
    source = films.write(tmp_path / "source.mp4", sound=True)
    for suffix, codec in ((".mkv", "av1"), (".mkv", "vp9"), (".mp4", "x264"), (".mov", "qtrle"), (".webm", "vp9")):
        for name in ("a", "b"):
            video.save(tmp_path / f"{name}{suffix}", film(codec=codec, sound=SoundSource(source)))
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes(), codec


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize("size", [(1, 1), (2, 40), (9, 70)])
def test_films_of_any_size(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    frames = [np.full((*size, 3), 90 + index, np.uint8) for index in range(2)]
    video.save(tmp_path / f"a{suffix}", Film(frames, 2, Size(*size), 25.0))
    with video.open_video(tmp_path / f"a{suffix}") as shown:
        assert len(list(shown.frames())) == 2
    with pytest.raises(OptionError, match="av1 takes frames of 4 pixels"):
        video.save(tmp_path / "a.mkv", Film([frames[0][:1]], 1, Size(1, size[1]), 25.0, codec="av1"))


def test_codecs_that_do_not_fit_are_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.webm cannot hold x264; it goes into \.mp4, \.mov, \.mkv"):
        video.check_film_output(tmp_path / "a.webm", alpha=False, fps=25, codec="x264")
    with pytest.raises(OptionError, match="x264 holds no transparency; use vp9"):
        video.check_film_output(tmp_path / "a.mov", alpha=True, fps=25, codec="x264")
    with pytest.raises(UnknownNameError, match="codec 'divx'"):
        video.check_film_output(tmp_path / "a.mp4", alpha=False, fps=25, codec="divx")
    with pytest.raises(OptionError, match="cannot hold av1"):
        video.check_film_output(tmp_path / "a.gif", alpha=False, fps=25, codec="av1")
    video.check_film_output(tmp_path / "a.gif", alpha=False, fps=25, codec="auto")
