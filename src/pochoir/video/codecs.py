"""Codecs that pochoir writes, and the files that hold them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pochoir.errors import OptionError, UnknownNameError

AUTO: Final = "auto"
_X264_TREE_FROM_PX: Final = 256


@dataclass(frozen=True)
class Codec:
    """An encoder of pictures.

    Attributes:
        about: One line for people.
        encoder: FFmpeg's name.
        pixels: Format of its pixels.
        alpha_pixels: Format with transparency; None if it has none.
        suffixes: Files that may hold it.
        options: Settings of the encoder.
        usual_crf: Constant rate factor that is used without a quality; None if it has another scale.
        worst_crf: Largest constant rate factor.
        least_side_px: Smallest side that the encoder takes.
        threads: Number of threads, 1 where more would change the bytes; 0 leaves it to the encoder.
    """

    about: str
    encoder: str
    pixels: str
    alpha_pixels: str | None
    suffixes: tuple[str, ...]
    options: Mapping[str, str]
    usual_crf: int | None = None
    worst_crf: int = 0
    least_side_px: int = 1
    threads: int = 1

    @property
    def is_rgb(self) -> bool:
        """True if pixels are stored as RGB and not as luma and chroma."""
        return self.pixels in ("rgb24", "bgr0")

    @property
    def needs_even_sides(self) -> bool:
        """True if one value of chroma is shared by two pixels a side."""
        return "420" in self.pixels

    def settings(self, quality: int | None, *, width: int, alpha: bool) -> dict[str, str]:
        """Return the encoder's options for a quality from 1 to 100 and frames of a width in pixels."""
        chosen = dict(self.options)
        if self.usual_crf is not None:
            share = None if quality is None else 1 - quality / 100
            chosen["crf"] = str(self.usual_crf if share is None else round(self.worst_crf * share))
        if self.encoder == "prores_ks":
            chosen["qscale"] = str(9 if quality is None else max(1, round(32 - 0.31 * quality)))
        if self.encoder == "libx264" and width < _X264_TREE_FROM_PX:
            chosen["mbtree"] = "0"  # its vector code reads past short rows, and bytes differ from run to run
        if self.encoder == "libvpx-vp9" and alpha:
            chosen["auto-alt-ref"] = "0"  # frames that are never shown have no alpha of their own
        return chosen


CODECS: Final[Mapping[str, Codec]] = MappingProxyType(
    {
        "av1": Codec(
            about="AV1, the smallest files",
            encoder="libsvtav1",
            pixels="yuv420p",
            alpha_pixels=None,
            suffixes=(".mp4", ".mkv", ".webm"),
            options={"preset": "9", "svtav1-params": "lp=1"},
            usual_crf=32,
            worst_crf=63,
            least_side_px=4,
        ),
        "vp9": Codec(
            about="VP9, with transparency",
            encoder="libvpx-vp9",
            pixels="yuv420p",
            alpha_pixels="yuva420p",
            suffixes=(".webm", ".mkv", ".mp4"),
            options={"b": "0", "cpu-used": "5", "deadline": "good", "row-mt": "1"},
            usual_crf=30,
            worst_crf=63,
        ),
        "x264": Codec(
            about="H.264, plays everywhere; its encoder is GPL",
            encoder="libx264",
            pixels="yuv420p",
            alpha_pixels=None,
            suffixes=(".mp4", ".mov", ".mkv"),
            options={"preset": "medium"},
            usual_crf=18,
            worst_crf=51,
        ),
        "prores": Codec(
            about="ProRes 4444, for editing",
            encoder="prores_ks",
            pixels="yuv444p10le",
            alpha_pixels="yuva444p10le",
            suffixes=(".mov", ".mkv"),
            options={"profile": "4444", "vendor": "apl0"},
            threads=0,
        ),
        "qtrle": Codec(
            about="QuickTime animation, lossless",
            encoder="qtrle",
            pixels="rgb24",
            alpha_pixels="argb",
            suffixes=(".mov",),
            options={},
        ),
        "ffv1": Codec(
            about="FFV1, lossless, for archives",
            encoder="ffv1",
            pixels="bgr0",
            alpha_pixels="bgra",
            suffixes=(".mkv",),
            options={"level": "3", "g": "1"},
        ),
    }
)
"""All codecs by their names."""

_ALIASES: Final = {"h264": "x264", "avc": "x264"}
_USUAL: Final = {".mp4": "av1", ".webm": "vp9", ".mov": "prores", ".mkv": "av1"}
_USUAL_ALPHA: Final = {".mkv": "ffv1"}


def codec_of(suffix: str, name: str | None, *, alpha: bool, short_side_px: int | None = None) -> Codec:
    """Return the codec for a file.

    Args:
        suffix: Extension of the file.
        name: Name of the codec; None or ``"auto"`` takes the one that suits.
        alpha: True if frames are transparent.
        short_side_px: Short side of the frames; None if it is not known yet.

    Raises:
        UnknownNameError: There is no such codec.
        OptionError: The file cannot hold it, or it does not take such frames.
    """
    if name is None or name == AUTO:
        usual = _USUAL | (_USUAL_ALPHA if alpha else {})
        if suffix not in usual:
            raise OptionError(f"{suffix or 'A folder'} has no codec to choose; files with one: {', '.join(_USUAL)}.")
        suits = CODECS[usual[suffix]]
        return CODECS["vp9"] if short_side_px is not None and short_side_px < suits.least_side_px else suits
    known = _ALIASES.get(name, name)
    if known not in CODECS:
        raise UnknownNameError("codec", name, CODECS)
    codec = CODECS[known]
    if suffix not in codec.suffixes:
        raise OptionError(f"{suffix or 'A folder'} cannot hold {known}; it goes into {', '.join(codec.suffixes)}.")
    if short_side_px is not None and short_side_px < codec.least_side_px:
        raise OptionError(f"{known} takes frames of {codec.least_side_px} pixels a side or more; use another codec.")
    if alpha and codec.alpha_pixels is None:
        able = ", ".join(each for each, one in CODECS.items() if one.alpha_pixels)
        raise OptionError(f"{known} holds no transparency; use {able}.")
    return codec
