"""A clip: frames as a pure function of time."""

import base64
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from pochoir._types import Size
from pochoir.animation import raster
from pochoir.animation.arrays import Frame, Layer, Picture, Points
from pochoir.animation.fields import shifted
from pochoir.animation.motions import Move
from pochoir.animation.puppet import Puppet
from pochoir.animation.shadow import contact_shade
from pochoir.animation.stage import close_plates, drift, pass_by
from pochoir.animation.timing import Timing
from pochoir.animation.travel import plan_journey
from pochoir.errors import ShapeError


@dataclass(frozen=True, eq=False)
class Actor:
    """One subject that moves by itself.

    Attributes:
        puppet: Mesh and parts.
        cutouts: Premultiplied layers of the frame's size with the puppet's matte; several are shown in turn.
        moves: Motions that add up.
    """

    puppet: Puppet
    cutouts: tuple[Layer, ...]
    moves: tuple[Move, ...]


@dataclass(frozen=True)
class Effects:
    """Additions to the motion.

    Attributes:
        shadow: Strength of the contact shadow in [0, 1]; 0 draws none.
        parallax: Largest shift of the plate, as a share of its width; 0 keeps it still.
        towards: ``"left"`` or ``"right"`` lets motions that travel cross the picture; None keeps them in place.
        boil_hold: Frames for which one of several cutouts or plates is shown.
    """

    shadow: float = 0.0
    parallax: float = 0.0
    towards: str | None = None
    boil_hold: int = 3


@dataclass(frozen=True, eq=False)
class Stage:
    """Everything that a clip shows.

    Attributes:
        actors: Subjects, drawn in this order.
        plates: Backgrounds of equal size, shown in turn; empty for a transparent clip.
        size: Size of the frames.
        scroll: Number of times that the plates pass by during the clip, negative to the left; 0 leaves them where they
            are.
    """

    actors: tuple[Actor, ...]
    plates: tuple[Picture, ...]
    size: Size
    scroll: int = field(default=0)

    def __post_init__(self) -> None:
        layers = [cutout for actor in self.actors for cutout in actor.cutouts]
        for layer in (*layers, *self.plates):
            if layer.shape[:2] != tuple(self.size):
                raise ShapeError(f"A layer of {layer.shape[1]}x{layer.shape[0]} is not of the clip's size {self.size}.")


class Clip:
    """Frames over time.

    Each frame depends on its time alone, so frames can be asked for in any order and from several threads.

    Args:
        stage: Subjects and background.
        timing: Number and spacing of frames.
        effects: Shadow, parallax and travel.
        record: Text that is saved with the clip: enough to make it again.
        notes: Facts that the user should know.
    """

    def __init__(
        self,
        stage: Stage,
        timing: Timing,
        effects: Effects = Effects(),
        *,
        record: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.stage = stage
        self.timing = timing
        self.effects = effects
        self.record = record
        self.notes = tuple(notes)
        self._textures = [
            [raster.Textures(*actor.puppet.layers(cutout)) for cutout in actor.cutouts] for actor in stage.actors
        ]
        self._passing = close_plates(stage.plates) if stage.scroll else []
        self._journeys = [
            plan_journey(actor.puppet, actor.moves, timing, effects.towards) if effects.towards else None
            for actor in stage.actors
        ]

    def __repr__(self) -> str:
        ground = "transparent" if self.is_transparent else "opaque"
        return f"Clip({self.size}, {len(self)} frames, {self.fps:g} a second, {ground})"

    def _repr_html_(self) -> str:
        """Return the moving picture for a notebook."""
        with tempfile.TemporaryDirectory() as folder:
            data = self.save(Path(folder) / "clip.webp", quality=60).read_bytes()
        return f'<img alt="{self!r}" src="data:image/webp;base64,{base64.b64encode(data).decode()}">'

    @property
    def size(self) -> Size:
        """Size of the frames."""
        return self.stage.size

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.timing.fps

    @property
    def is_transparent(self) -> bool:
        """True if frames have an alpha channel."""
        return not self.stage.plates

    def __len__(self) -> int:
        return self.timing.frames

    def __iter__(self) -> Iterator[Frame]:
        """Yield all frames in order; a few are rendered ahead on other threads."""
        workers = min(os.cpu_count() or 1, 4)
        with ThreadPoolExecutor(workers, thread_name_prefix="pochoir-clip") as pool:
            ahead: deque[Future[Frame]] = deque()
            try:
                for index in range(len(self)):
                    ahead.append(pool.submit(self.frame_at, index))
                    if len(ahead) > workers:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()

    def frame(self, time_s: float) -> Frame:
        """Return the frame at a time in seconds, shape (H, W, 3), or (H, W, 4) if the clip is transparent."""
        return self.frame_at(self.timing.index_at(time_s))

    def frame_at(self, index: int) -> Frame:
        """Return frame ``index``, counted from 0."""
        layer = self.layer_at(index)
        shade = None
        if self.effects.shadow:
            grounds = [(a.puppet.body.foot, a.puppet.body.h) for a in self.stage.actors if self._stands(a)]
            shade = contact_shade(layer[..., 3], grounds, self.effects.shadow)
        if self.is_transparent:
            return raster.to_straight(layer, shade)
        return raster.over_plate(self._plate_at(index), layer, shade)

    def layer_at(self, index: int) -> Layer:
        """Return the subjects alone at frame ``index``, premultiplied, shape (H, W, 4)."""
        layer = np.zeros((*self.size, 4), np.float32)
        for number, actor in enumerate(self.stage.actors):
            puppet = actor.puppet
            textures = self._textures[number][self._turn(index, len(actor.cutouts))]
            raster.draw(layer, textures, self.points_at(index, number), puppet.rest, puppet.triangles, puppet.parts)
        return layer

    def points_at(self, index: int, actor: int = 0) -> Points:
        """Return the positions of an actor's vertices at frame ``index``."""
        player, journey = self.stage.actors[actor], self._journeys[actor]
        if journey is None:
            return player.puppet.pose(player.moves, partial(self.timing.phase, index))
        progress = self.timing.progress(index)
        if not journey.cycles:
            points = player.puppet.pose(player.moves, partial(self.timing.phase, index))
        else:  # steps fit the way, so all motions keep their beat
            points = player.puppet.pose(player.moves, lambda period_s: progress * journey.cycles % 1.0)
        return shifted(points, journey.offset(progress), 0.0)

    def still(self) -> Frame:
        """Return the subjects at rest over the first plate."""
        layer = np.zeros((*self.size, 4), np.float32)
        for number, actor in enumerate(self.stage.actors):
            puppet = actor.puppet
            raster.draw(layer, self._textures[number][0], puppet.rest, puppet.rest, puppet.triangles, puppet.parts)
        return raster.to_straight(layer) if self.is_transparent else raster.over_plate(self.stage.plates[0], layer)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        quality: int | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> Path:
        """Write the clip; the extension picks the format, see ``pochoir.video.write``.

        Args:
            path: File to write; a path without extension gets a folder of frames.
            quality: 1 to 100 for formats that lose detail; None takes each format's own.
            progress: Called with the number of frames that are rendered.

        Returns:
            The path.

        Raises:
            OutputPathError: The extension is unknown, or its format cannot hold the clip.
            MissingExtraError: The format needs PyAV, which is not installed.
            WriteError: The file cannot be written.
        """
        from pochoir.video import Film, save

        film = Film(
            frames=self._reporting(progress),
            count=len(self),
            size=self.size,
            fps=self.fps,
            alpha=self.is_transparent,
            loop=self.timing.loop,
            record=self.record,
            sample=self.frame_at,
        )
        return save(path, film, quality=quality)

    def _reporting(self, progress: Callable[[int], object] | None) -> Iterator[Frame]:
        for number, frame in enumerate(self, start=1):
            if progress is not None:
                progress(number)
            yield frame

    def _plate_at(self, index: int) -> Picture:
        turn, progress = self._turn(index, len(self.stage.plates)), self.timing.progress(index)
        if self._passing:
            return pass_by(self._passing[turn], progress, self.stage.scroll, self.size.width)
        plate = self.stage.plates[turn]
        return drift(plate, progress, self.effects.parallax)

    def _turn(self, index: int, choices: int) -> int:
        return index // self.effects.boil_hold % choices if choices > 1 else 0

    @staticmethod
    def _stands(actor: Actor) -> bool:
        return "bottom" not in actor.puppet.body.touched
