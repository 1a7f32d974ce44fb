"""The record of a painted video: a picture's record with the settings of the video, and the keys made of it."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from pochoir.errors import InputError
from pochoir.recipe import OutputSettings, Record, holds_table, to_line, work_key
from pochoir.sequence.settings import VideoSettings

VIDEO_KEY: Final = "video"
DONE_KEY: Final = "done_video"
FRAMES_KEY: Final = "frames"
PARTIAL_KEY: Final = "partial"


@dataclass(frozen=True)
class FilmRecord:
    """Record of a film.

    Attributes:
        record: Request and environment. Its inputs have the roles of a picture's, ``"video"`` in place of ``"photo"``,
            and ``"mask of frame N"``.
        settings: Settings of the video.
        steps: Steps of each key where a time limit decided; 0 where the recipe itself says it.
        frames: Number of frames in the film; 0 if it is not known.
        partial: True if the film was written before all frames were done.
    """

    record: Record
    settings: VideoSettings
    steps: int = 0
    frames: int = 0
    partial: bool = False

    @property
    def key(self) -> str:
        """Key of the film that was asked for, whole or partial; see ``work_key``."""
        settings = self.settings.model_dump(mode="json")
        for correction in settings["corrections"]:
            correction["mask"] = correction["mask"] is not None  # its contents are among the inputs
        return _hash(work_key(self.record.request, self.record.environment), settings)

    @property
    def parts_key(self) -> str:
        """Key of everything that the frames depend on, rounding included, but not the file they are written to."""
        recipe = self.record.request.recipe
        usual = {name: OutputSettings.model_fields[name].default for name in OutputSettings.model_fields}
        request = self.record.request.replace(recipe=recipe.replace(**usual))
        settings = self.settings.replace(codec="auto", sound=True)
        plain = FilmRecord(self.record.replace(request=request), settings)
        return _hash(plain.key, self.record.environment.model_dump(mode="json"), str(recipe.memory))

    def to_json(self) -> str:
        """Return one line of JSON, as it is kept in the film."""
        values = json.loads(self.record.to_json()) | {VIDEO_KEY: self.settings.model_dump(mode="json")}
        values |= {DONE_KEY: self.steps} if self.steps else {}
        values |= {FRAMES_KEY: self.frames} if self.frames else {}
        values |= {PARTIAL_KEY: True} if self.partial else {}
        return to_line(values)

    @classmethod
    def from_json(cls, text: str) -> "FilmRecord":
        """Read the record of a film.

        Raises:
            InputError: It is not the record of a painted video, or a part is missing.
        """
        if not holds_video(text):
            raise InputError("This record is not that of a painted video.")
        values = json.loads(text)
        steps, frames = (_count(values.get(name, 0)) for name in (DONE_KEY, FRAMES_KEY))
        settings = VideoSettings.model_validate(values[VIDEO_KEY])
        return cls(Record.from_json(text), settings, steps, frames, values.get(PARTIAL_KEY) is True)


def holds_video(text: str) -> bool:
    """Return whether a record is that of a painted video."""
    return holds_table(text, VIDEO_KEY)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
