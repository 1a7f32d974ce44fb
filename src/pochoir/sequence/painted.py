"""A video in the making: its inputs, its record, its frames, and the film that they become."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pochoir import imaging, video
from pochoir._types import Size
from pochoir.recipe import Recipe, Record, Request, find_work_size
from pochoir.sequence import plan
from pochoir.sequence.events import Advanced, SequenceEvent, Shown
from pochoir.sequence.finished import FinishedOnly
from pochoir.sequence.inputs import VideoInputs, count_frames, with_form
from pochoir.sequence.parts import count_drawn, folder_beside, remove_parts
from pochoir.sequence.plan import Estimate
from pochoir.sequence.production import Production
from pochoir.sequence.records import FilmRecord
from pochoir.sequence.settings import VideoSettings
from pochoir.sequence.store import FolderStore, MemoryStore, Store
from pochoir.sequence.timed import Timed, begin, counted
from pochoir.sequence.tools import Tools, describe_film_environment
from pochoir.sequence.writing import write_film
from pochoir.video import FORMATS, Film, Frame, SoundSource

_STEPS = "steps"
"""Name of the steps of a first key in a store."""


@dataclass(eq=False)
class PaintedVideo:
    """A video to be painted; iterate it for its frames.

    Frames are uint8 of shape (H, W, 3), or (H, W, 4) with straight alpha if the film is transparent. Each iteration
    begins at the first frame. Finished keys and mattes stay in the store and are used again.

    Attributes:
        inputs: The decoded inputs.
        asked: Settings of the painting, as they were asked for.
        settings: Settings of the video.
        tools: Networks.
        recorded: Settings as they are recorded, where they differ from ``settings`` by the places of files.
        threads: Number of CPU threads.
        engine: As ``Painting`` takes it.
        steps: Steps of the first key where a time limit decided; 0 where the recipe says it.
        workers: Segments between keys that are carried beside the painting of keys; the frames are the same.
        given_notes: Sentences for the user besides those of the run.
    """

    inputs: VideoInputs
    asked: Recipe
    settings: VideoSettings
    tools: Tools = field(default_factory=Tools)
    recorded: VideoSettings | None = None
    threads: int = 0
    engine: str = "auto"
    steps: int = 0
    workers: int = 0
    given_notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.recipe = with_form(self.asked, self.settings)
        self.threads = self.threads or self.asked.threads or torch.get_num_threads()
        self._memory = MemoryStore()
        self._notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"PaintedVideo({Path(self.inputs.video.path).name}, {self.size}, {self.count} frames)"

    def __iter__(self) -> Iterator[Frame]:
        return (each.pixels for each in self.shown())

    def __len__(self) -> int:
        return self.count

    @property
    def size(self) -> Size:
        """Size of the frames."""
        return find_work_size(self.inputs.video.info.size, self.recipe)

    @property
    def fps(self) -> float:
        """Average number of frames a second."""
        return float(self.inputs.video.info.fps)

    @property
    def count(self) -> int:
        """Number of frames; an estimate for long videos."""
        return count_frames(self.inputs.video, self.settings)

    @property
    def is_transparent(self) -> bool:
        """True if frames have alpha."""
        return self.recipe.backdrop.is_transparent and self.settings.form != "matte"

    @property
    def is_painted(self) -> bool:
        """True if anything is painted."""
        return self.recipe.paints_subject or self.recipe.paints_background

    @property
    def input_paths(self) -> list[str]:
        """Files that are read, which an output must not replace."""
        return [entry.path for entry in self.inputs.files() if entry.path is not None]

    @property
    def quality(self) -> int | None:
        """Quality of formats that lose detail; None where the recipe leaves it to each format."""
        usual = Recipe.model_fields["quality"].default
        return None if self.asked.quality == usual else self.asked.quality

    @cached_property
    def record(self) -> FilmRecord:
        """The record of the film that is asked for."""
        environment = describe_film_environment(self.recipe, self.tools, threads=self.threads, engine=self.engine)
        own = [] if self.tools.segmenter is None else [f"segmenter {self.tools.segmenter.name!r}"]
        own += [] if self.tools.encoder is None else ["encoder"]
        request = Request(recipe=self.asked, inputs=self.inputs.files(), own=tuple(own))
        made = Record(request=request, environment=environment)
        return FilmRecord(made, self.recorded or self.settings, self.steps)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user on what was converted, skipped or assumed so far."""
        inputs = self.inputs
        pictures = replace(inputs.sources, photo=imaging.load(np.zeros((1, 1, 3), np.uint8)))
        return tuple(dict.fromkeys((*self.given_notes, *inputs.video.notes, *pictures.notes, *self._notes)))

    @property
    def sound(self) -> SoundSource | None:
        """Sound of the film; None if it has none."""
        opened, settings = self.inputs.video, self.settings
        if not (settings.sound and opened.info.has_sound):
            return None
        return SoundSource(opened.path, settings.start, settings.end)

    def events(self, store: Store | None = None) -> Iterator[SequenceEvent]:
        """Paint the video: yield what is done, and every frame in its order.

        Args:
            store: Place of finished parts; None keeps them in memory.
        """
        kept = self._memory if store is None else store
        self.choose_steps(kept)
        production = self._production(kept)
        try:
            yield from production.events()
        finally:
            self._notes = tuple(dict.fromkeys((*self._notes, *production.notes)))

    def keys(self, first: int, every: int, store: Store) -> Iterator[Advanced]:
        """Paint the keys of some shots into a store, for another run that makes the frames of all shots.

        Args:
            first: Number of the first shot, from 0.
            every: Distance to the next shot that is painted.
            store: Place of finished parts.
        """
        return self._production(store).keys(first, every)

    def choose_steps(self, store: Store, speed: plan.Speed | None = None) -> None:
        """Choose the steps that the recipe's time limit allows; a run that is resumed takes those of the first one.

        Args:
            store: Place of finished parts.
            speed: Speed of this machine; None measures it.
        """
        kept = store.read_json(_STEPS)
        if isinstance(kept, int):
            self.steps = self.steps or kept
            return
        if self.recipe.time is not None and not self.steps:
            self.steps, notes = plan.fit_steps(self, speed or plan.measure(self))
            self._notes = (*self._notes, *notes)
        store.write_json(_STEPS, self.steps)

    def _production(self, store: Store) -> Production:
        corrections = tuple(each.replace(frame=each.frame - self.inputs.first) for each in self.settings.corrections)
        return Production(
            self.inputs.video,
            self.inputs.sources,
            self.recipe.replace(time=None, steps=self.steps or self.recipe.steps),
            self.settings.replace(corrections=corrections),
            store,
            encoder=self.tools.encoder,
            segmenter=self.tools.segmenter,
            open_encoder=self.tools.open_encoder,
            create_segmenter=self.tools.create_segmenter,
            threads=self.threads,
            engine=self.engine,
            workers=self.workers,
        )

    def shown(self, store: Store | None = None) -> Iterator[Shown]:
        """Yield the frames in order with their times; see ``events``."""
        return (event for event in self.events(store) if isinstance(event, Shown))

    def finished(self, store: Store) -> Iterator[Shown]:
        """Yield the frames that need nothing but what a store holds, up to the first that needs more."""
        return FinishedOnly.take(store, self.shown)

    def film(self, shown: Iterator[Shown], suffix: str, *, count: int | None = None, is_partial: bool = False) -> Film:
        """Return the film to write.

        Args:
            shown: Its frames.
            suffix: Extension of the file.
            count: Number of frames; None takes that of the video.
            is_partial: True if these are not all frames.
        """
        opened = self.inputs.video
        timed = Timed(shown, 1 / opened.info.fps)
        is_stream = suffix.lower() in FORMATS and FORMATS[suffix.lower()].needs_av
        record = replace(self.record, steps=self.steps, frames=0 if count is None else count, partial=is_partial)
        sound = None if self.sound is None else replace(self.sound, ends_with_picture=is_partial)
        return Film(
            frames=timed.frames(),
            count=self.count if count is None else count,
            size=self.size,
            fps=self.fps,
            alpha=self.is_transparent,
            loop=False,
            record=None if self.asked.no_recipe else record.to_json(),
            durations=timed.durations() if is_stream else self._exact_durations(),
            time_base=opened.info.time_base if is_stream else None,
            sound=sound if is_stream else None,
            codec=None if self.settings.codec == "auto" else self.settings.codec,
        )

    def estimate(self) -> Estimate:
        """Return what the film will cost, after a few steps on its first frame: time, memory, sizes on disk."""
        return plan.estimate(self, plan.measure(self))

    def preview(self) -> Iterator[tuple[str, Tensor]]:
        """Paint five small frames that are spread over the film, each alone.

        Yields:
            Caption with the frame's number and time, and the picture, shape (1, 3, H, W) or with alpha (1, 4, H, W).
        """
        return plan.preview(self)

    def open_store(self, output: str | os.PathLike[str]) -> FolderStore:
        """Return the store beside an output; it holds what an earlier run of the same request has finished."""
        key = self.record.parts_key
        return FolderStore(folder_beside(Path(output)) / key[:16], key)

    def save(self, path: str | os.PathLike[str], *, progress: Callable[[int], None] | None = None) -> Path:
        """Paint the video and write the film; what is finished stays in a hidden folder beside it until it is whole.

        The same call resumes a run that was killed, and comes to the same bytes.

        Args:
            path: File to write; the extension picks the format. Without one, a folder of PNG files is written.
            progress: Called with the number of frames that are done.

        Returns:
            The path.

        Raises:
            InputError: The path or the format cannot be used.
            WriteError: The disk is full, or the folder cannot be written to.
        """
        self.check_output(path)
        store = self.open_store(path)
        if not store.resumed:
            self._memory.copy_to(store)  # what an iteration has painted
        first, rest = begin(self.shown(store))
        shown = counted(itertools.chain(first, rest), progress)
        film = self.film(shown, Path(path).suffix, count=count_drawn(store))
        write_film(film, Path(path), store, quality=self.quality)
        remove_parts(Path(path))
        return Path(path)

    def check_output(self, path: str | os.PathLike[str], *, inputs: Iterable[str] = (), force: bool = False) -> None:
        """Raise an ``InputError`` if the film cannot be written to a path; see ``video.check_film_output``."""
        video.check_film_output(
            path,
            alpha=self.is_transparent,
            fps=self.fps,
            codec=self.settings.codec,
            inputs=[*self.input_paths, *inputs],
            force=force,
        )

    def _exact_durations(self) -> list[Fraction] | None:
        """Return the duration of each frame; None if all are alike."""
        info = self.inputs.video.info
        if not info.is_variable:
            return None
        frames = self.inputs.video.frames(self.settings.start, self.settings.end, Size(1, 1))
        return [frame.duration or 1 / info.fps for frame in frames]
