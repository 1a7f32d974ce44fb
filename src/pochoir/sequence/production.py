"""A painted film in the making: cuts, mattes, keys, and all frames in order."""

import itertools
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from pochoir._devices import resolve_device
from pochoir._threads import torch_threads
from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.errors import InputError
from pochoir.loading import LoadedEncoder, OpenEncoder, open_encoder
from pochoir.recipe import Recipe, find_work_size
from pochoir.scene import SegmenterFactory
from pochoir.segmentation import Segmenter
from pochoir.sequence.events import Advanced, SequenceEvent, Shown
from pochoir.sequence.finished import NotFinishedError
from pochoir.sequence.frames import Drawings, Scan, Shot, expand
from pochoir.sequence.painter import FramePainter
from pochoir.sequence.settings import VideoSettings
from pochoir.sequence.shots import Key, Segment, ShotPainter
from pochoir.sequence.steady import Moment, Steadying
from pochoir.sequence.store import MemoryStore, Store
from pochoir.sequence.subjects import SubjectFinder, track_subject
from pochoir.sources import Sources
from pochoir.transfer import StyleTargets, give_back
from pochoir.video.read import Video

Pixels = npt.NDArray[np.uint8]

FRAMES: Final = "frames"
"""Name of the numbers of the film's frames in a store."""
_SCAN_REPORTS: Final = 25
"""Frames that are searched for cuts from one report to the next."""
_MOST_WAITING: Final = 2
"""Segments that may wait for a worker; each holds up to a dozen frames."""


@dataclass(eq=False)
class Production:
    """Paints a film.

    Args:
        video: The video.
        sources: The pictures of the recipe; the photo is not used.
        recipe: Settings of the painting. ``steps`` are those of a shot's first key.
        settings: Settings of the film.
        store: Place of finished parts.
        encoder: Network of the user's own.
        segmenter: Object of the user's own that finds the subject.
        open_encoder: Lends the recipe's encoder.
        create_segmenter: Returns the recipe's segmenter; None loads it.
        threads: Number of CPU threads.
        engine: ``"auto"`` or ``"torch"``; see ``Painting``.
        workers: Segments that are carried beside the painting of keys; 0 does one after the other. The frames are the
            same.

    Attributes:
        notes: Sentences for the user, complete after the last frame.
    """

    video: Video
    sources: Sources
    recipe: Recipe
    settings: VideoSettings = field(default_factory=VideoSettings)
    store: Store = field(default_factory=MemoryStore)
    encoder: VGG | None = None
    segmenter: Segmenter | None = None
    open_encoder: OpenEncoder = open_encoder
    create_segmenter: SegmenterFactory | None = None
    threads: int = 0
    engine: str = "auto"
    workers: int = 0
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.threads = self.threads or self.recipe.threads or torch.get_num_threads()
        self.device = resolve_device(self.recipe.device)
        self.size: Size = find_work_size(self.video.info.size, self.recipe)
        # A matte is asked for by itself; a transparent backdrop needs one.
        self.recipe = self.recipe.replace(backdrop="transparent") if self.is_matte else self.recipe

    @property
    def is_matte(self) -> bool:
        """True if the film is the subject's matte."""
        return self.settings.form == "matte"

    def events(self) -> Iterator[SequenceEvent]:
        """Do the work: yield what is done, and each frame of the film in order.

        Raises:
            InputError: The film has no frames, or something that was given cannot be used.
            WeightsError: Trained weights are missing.
        """
        yield from self._scan()
        with self._painter() as painter:
            yield from self._produce(self._drawings(), painter)

    def keys(self, first: int, every: int) -> Iterator[Advanced]:
        """Paint the keys of some shots into the store, for another run that makes the frames of all shots.

        Args:
            first: Number of the first shot, from 0.
            every: Distance to the next shot that is painted.
        """
        yield from self._scan()
        drawings = self._drawings()
        shots = self._shots(drawings)[first::every]
        total, before = sum(map(len, shots)), 0
        with self._painter() as painter:
            for shot in shots:
                for part in self._in_threads(self._parts(shot, painter, self._finder())):
                    if isinstance(part, Key):
                        done = before + part.number - shot.first + 1
                        yield Advanced("keys", done, total, picture=part.painting, resumed=part.resumed)
                    else:
                        yield Advanced("mattes", before + part.first - shot.first + 1, total)
                before += len(shot)

    def frames(self) -> Iterator[Pixels]:
        """Yield the frames in order, each (H, W, 3), or (H, W, 4) with straight alpha."""
        return (event.pixels for event in self.events() if isinstance(event, Shown))

    def _scan(self) -> Iterator[Advanced]:
        total = max(1, self.video.info.frames)
        if self.store.read_cuts() is not None and self.store.read_json(FRAMES):
            yield Advanced("cuts", total, total, resumed=True)
            return
        scan = Scan(self.video, self.settings.start, self.settings.end)
        done = 0
        for done in scan:
            if done % _SCAN_REPORTS == 0:
                yield Advanced("cuts", done, max(total, done))
        if not done:
            raise InputError(f"{self.video.path!r} has no frames between the start and the end.")
        self.store.write_json(FRAMES, scan.runs)
        self.store.write_cuts(scan.cuts)
        yield Advanced("cuts", done, done)

    def _drawings(self) -> Drawings:
        return Drawings(self.video, self.size, expand(self.store.read_json(FRAMES)), self.settings.on)

    def _shots(self, drawings: Drawings) -> list[Shot]:
        """Return the shots as drawings; a cut inside of a drawing counts from the next one on."""
        cuts = {-(-cut // self.settings.on) for cut in self.store.read_cuts() or ()}
        firsts = sorted({0, *(cut for cut in cuts if cut < len(drawings))})
        return [Shot(drawings, *pair) for pair in zip(firsts, [*firsts[1:], len(drawings)], strict=True)]

    def _produce(self, drawings: Drawings, painter: FramePainter) -> Iterator[SequenceEvent]:
        steadying, shown = Steadying(), itertools.count()
        try:
            for made in self._moments(drawings, painter):
                if isinstance(made, Advanced):
                    yield made
                    continue
                for moment in steadying.push(made):
                    yield from self._show(drawings, next(shown), moment)
        except NotFinishedError:
            for moment in steadying.end():
                yield from self._show(drawings, next(shown), moment)
            raise

    def _moments(self, drawings: Drawings, painter: FramePainter) -> Iterator[Advanced | Moment]:
        finder = self._finder()
        total = len(drawings)
        waiting: deque[Future[list[Moment]]] = deque()
        with _pool(self.workers) as pool:
            for shot in self._shots(drawings):
                for part in self._in_threads(self._parts(shot, painter, finder)):
                    if isinstance(part, Key):
                        yield Advanced("keys", part.number + 1, total, picture=part.painting, resumed=part.resumed)
                        continue
                    if pool is None:
                        yield from part.moments()
                        continue
                    waiting.append(pool.submit(list, part.moments()))
                    del part  # a worker has it until it is carried
                    while len(waiting) > self.workers + _MOST_WAITING:
                        yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()

    @contextmanager
    def _painter(self) -> Iterator[FramePainter]:
        try:
            with self._lend() as loaded:
                encoder, targets = (None, None) if loaded is None else (loaded.encoder, loaded.targets)
                yield FramePainter(
                    self.sources, self.recipe, self.size, self.device, encoder, targets or StyleTargets()
                )
        finally:
            give_back()

    def _finder(self) -> SubjectFinder:
        return SubjectFinder(
            self.recipe, self.video.info.size, self.size, self.device, self.segmenter, self.create_segmenter
        )

    def _parts(self, shot: Shot, painter: FramePainter, finder: SubjectFinder) -> Iterator[Key | Segment]:
        if not self.recipe.needs_matte:
            yield from ShotPainter(shot, painter, self.store, self.settings.keys).parts()
            return
        tracker, mattes = track_subject(shot, finder, self.store, self.settings.corrections, self.settings.on)
        yield from ShotPainter(shot, painter, self.store, self.settings.keys, mattes).parts()
        next(mattes, None)  # its notes come at its end
        self.notes += [note for note in tracker.notes if note not in self.notes]

    def _in_threads(self, parts: Iterator[Key | Segment]) -> Iterator[Key | Segment]:
        while True:
            # Between two parts the process is the caller's, who may watch another job, too.
            with torch_threads(self.threads):
                part = next(parts, None)
            if part is None:
                return
            yield part

    def _show(self, drawings: Drawings, at: int, moment: Moment) -> Iterator[SequenceEvent]:
        pixels = moment.frame.matte_picture() if self.is_matte else moment.finished()
        for shown in drawings.moments(at):
            yield Shown(shown.number, shown.time_s, shown.duration, pixels)
        yield Advanced("frames", at + 1, len(drawings), cost=(at + 1) / len(drawings))

    @contextmanager
    def _lend(self) -> Iterator[LoadedEncoder | None]:
        if not (self.recipe.paints_subject or self.recipe.paints_background):
            yield None
        elif self.encoder is not None:
            yield LoadedEncoder(self.encoder)
        else:
            with self.open_encoder(self.recipe, self.device, self.engine) as loaded:
                yield loaded


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor | None]:
    """Run a block with worker threads; what waits for them when it is left is not begun."""
    if not workers:
        yield None
        return
    pool = ThreadPoolExecutor(workers, "pochoir-carry")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
