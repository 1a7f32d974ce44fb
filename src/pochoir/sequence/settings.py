"""Settings of a painted video."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, field_validator, model_validator

from pochoir._types import Box, Size
from pochoir.errors import OptionError
from pochoir.recipe.geometry import BoxField, Point, Points, parse_box
from pochoir.recipe.model import FrozenModel
from pochoir.recipe.text_value import PathText
from pochoir.recipe.values import Seconds

AUTO: Final = "auto"
"""Name of keys that are placed where the picture has changed."""
MOST_KEY_DISTANCE: Final = 48
"""Largest number of frames from one key to the next."""
MOST_FRAME: Final = 10_000_000

VideoForm = Literal["painting", "cutout", "matte"]
Codec = Literal["auto", "av1", "vp9", "x264", "prores", "qtrle", "ffv1"]

_AT_FRAME = re.compile(r"\s*(\d{1,8})\s*=\s*(.+)", re.DOTALL)


def parse_keys(value: Any) -> int | None:
    """Read the distance of keys: a number of frames, or ``"auto"``, which is None.

    Raises:
        OptionError: It is neither, or out of bounds.
    """
    if value is None or value == AUTO:
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}\s*", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_KEY_DISTANCE:
        raise OptionError(f"Keys are {AUTO}, or 1 to {MOST_KEY_DISTANCE} frames apart; got {value!r}.")
    return value


def parse_moment(value: Any) -> float:
    """Read a moment of a video in seconds: as a length of time is written, or 0.

    Raises:
        OptionError: It is no moment, or negative.
    """
    if isinstance(value, str) and re.fullmatch(r"\s*0+(\.0+)?\s*s?\s*", value):
        return 0.0
    if isinstance(value, int | float) and not isinstance(value, bool) and value == 0:
        return 0.0
    return float(Seconds.parse(value))


def _write_moment(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


Keys = Annotated[
    int | None,
    PlainValidator(parse_keys),
    PlainSerializer(lambda keys: AUTO if keys is None else keys, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"const": AUTO}, {"type": "integer", "minimum": 1, "maximum": MOST_KEY_DISTANCE}]},
    ),
]
Moment = Annotated[
    float,
    PlainValidator(parse_moment),
    PlainSerializer(_write_moment, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["0s", "3s", "1m30s"]}),
]


class Correction(FrozenModel):
    """The user's correction of the subject in one frame; it is tracked through the shot.

    Attributes:
        frame: Number of the frame, counted from the first of the video file, which is 0.
        mask: Picture that is the matte of this frame: white is subject.
        keep_points: Pixels of the frame that are subject.
        drop_points: Pixels of the frame that are background.
        box: Box around the subject.
    """

    field_noun = "field of a correction"

    frame: int = Field(ge=0, le=MOST_FRAME, strict=True)
    mask: PathText | None = None
    keep_points: Points = Points()
    drop_points: Points = Points()
    box: BoxField | None = None

    def strokes(self, own_size: Size, size: Size) -> dict[str, Any]:
        """Return points and box as fields of a ``Recipe`` for the frame at another size.

        Args:
            own_size: Size of the video's frames, in whose pixels they are given.
            size: Size of the frames that they are needed for.
        """
        x, y = size.width / own_size.width, size.height / own_size.height

        def scale(points: Points) -> Points:
            return Points(
                Point(min(size.width - 1, int((px + 0.5) * x)), min(size.height - 1, int((py + 0.5) * y)))
                for px, py in points
            )

        box = self.box
        if box is not None and size != own_size:
            left, top = int(box.x * x), int(box.y * y)
            right = min(size.width, max(left + 1, round((box.x + box.width) * x)))
            bottom = min(size.height, max(top + 1, round((box.y + box.height) * y)))
            box = Box(left, top, right - left, bottom - top)
        points = {"keep_points": self.keep_points, "drop_points": self.drop_points}
        return {name: each if size == own_size else scale(each) for name, each in points.items()} | {"box": box}


class VideoSettings(FrozenModel):
    """Settings of a painted video, besides those of the painting, which are a ``Recipe``.

    Attributes:
        keys: Frames from one painted key to the next; None places keys where the picture has changed.
        on: Number of frames that show one picture; 2 and 3 look drawn by hand.
        start: Moment of the video at which the film begins, in seconds.
        end: Moment at which it ends, in seconds; None is the end of the video.
        form: ``"painting"``, ``"cutout"`` (the subject alone) or ``"matte"`` (white on black).
        corrections: The user's corrections of single frames, in their order, one for each frame.
        codec: Encoder of the film; ``"auto"`` takes the one that suits the file's extension.
        sound: Keep the sound.
    """

    field_noun = "setting of a video"
    value_nouns = MappingProxyType({"form": "form of a video"})

    keys: Keys = None
    on: int = Field(default=1, ge=1, le=12, strict=True)
    start: Moment = 0.0
    end: Moment | None = None
    form: VideoForm = "painting"
    corrections: tuple[Correction, ...] = ()
    codec: Codec = "auto"
    sound: bool = Field(default=True, strict=True)

    @field_validator("corrections", mode="after")
    @classmethod
    def _sort_corrections(cls, value: tuple[Correction, ...]) -> tuple[Correction, ...]:
        frames = [each.frame for each in value]
        if len(set(frames)) != len(frames):
            raise OptionError("Each frame has one correction at most; join those of the same frame.")
        return tuple(sorted(value, key=lambda each: each.frame))

    @model_validator(mode="after")
    def _check_times(self) -> "VideoSettings":
        if self.end is not None and self.end <= self.start:
            raise OptionError(
                f"The end of the film ({_write_moment(self.end)}) has to be later than its start "
                f"({_write_moment(self.start)})."
            )
        return self


AtFrames = Mapping[int, Any] | Sequence[str] | str
"""Values by frame: a mapping, or texts such as ``"12=VALUE"``."""


def read_corrections(
    *,
    mask_frame: AtFrames = (),
    keep_points: AtFrames = (),
    drop_points: AtFrames = (),
    box: AtFrames = (),
) -> tuple[Correction, ...]:
    """Return the corrections that several options give together, one for each frame.

    Args:
        mask_frame: Path of the matte.
        keep_points: Pixels that are subject, as ``"x,y;x,y"`` or pairs.
        drop_points: Pixels that are background.
        box: Box around the subject, as ``"x,y,width,height"`` or four numbers.

    Raises:
        OptionError: A value has another form, or a frame has two masks or boxes.
    """
    merged: dict[int, dict[str, Any]] = {}
    for name, given in (("mask", mask_frame), ("keep_points", keep_points), ("drop_points", drop_points), ("box", box)):
        for frame, value in _pairs(name, given):
            fields = merged.setdefault(frame, {"frame": frame})
            if name.endswith("points"):
                fields[name] = Points((*fields.get(name, ()), *Points.parse(value)))
            elif name in fields:
                raise OptionError(f"Frame {frame} has two values of {name}; give one.")
            else:
                fields[name] = parse_box(value) if name == "box" else value
    return tuple(Correction.model_validate(merged[frame]) for frame in sorted(merged))


def _pairs(name: str, given: AtFrames) -> list[tuple[int, Any]]:
    if isinstance(given, Mapping):
        return list(given.items())
    if not isinstance(given, str) and not isinstance(given, Sequence):
        raise OptionError(f"{name} is given by frame, such as {{12: ...}}; got {given!r}.")
    pairs: list[tuple[int, Any]] = []
    for text in (given,) if isinstance(given, str) else given:
        match = _AT_FRAME.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            example = {"mask": "12=matte.png", "box": "12=40,30,200,300"}.get(name, "12=120,80;200,90")
            raise OptionError(f"A correction is given for a frame, such as {example}; got {text!r}.")
        pairs.append((int(match[1]), match[2].strip()))
    return pairs
