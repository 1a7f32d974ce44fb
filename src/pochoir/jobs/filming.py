"""Painting of a video as events: its plan, its frames on their way into the film, and what stays after a cancel."""

import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from math import inf
from pathlib import Path
from typing import Any, Final

from pochoir import video
from pochoir.errors import OptionError
from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Preview, Progress, Saved
from pochoir.jobs.job import Job
from pochoir.jobs.shots import Helpers, collect_shots, paint_side_by_side
from pochoir.jobs.streams import encode_frame
from pochoir.sequence.events import Shown
from pochoir.sequence.painted import PaintedVideo
from pochoir.sequence.parts import count_drawn, remove_parts
from pochoir.sequence.plan import LONG_S, Estimate, estimate, measure
from pochoir.sequence.store import FolderStore
from pochoir.sequence.writing import BackgroundWriter, write_film
from pochoir.video import Frame

_PLAN: Final = "plan"
"""Name of the seconds that the whole work was expected to take in a store."""
_PACE_FROM: Final = 0.05
"""Share of the frames from which the pace so far tells the time left better than the estimate."""


class Filming:
    """One run of a job that paints a video.

    Args:
        job: The job; its film is written to ``job.output``.
        painted: The video in the making.
        store: Store of the finished parts.
        previews_s: Seconds between two previews; None makes none.
        agreed: True begins also work that takes very long.
        helpers: Jobs that first paint the keys of different shots side by side.
    """

    def __init__(
        self,
        job: Job,
        painted: PaintedVideo,
        store: FolderStore,
        *,
        previews_s: float | None,
        agreed: bool,
        helpers: Helpers,
    ) -> None:
        self._job = job
        self._painted = painted
        self._store = store
        self._previews_s = previews_s
        self._agreed = agreed
        self._helpers = helpers
        self._previewed_s = -inf
        self._started_s = time.monotonic()
        self._count = painted.count
        self._shown = 0
        self._expected_s = 0.0
        self._paced_from = (self._started_s, 0)

    def run(self, control: Control) -> Iterator[Event]:
        """Paint the video and write the film; end without a final event if the job is canceled.

        A job that is canceled with ``keep`` writes what is finished.

        Raises:
            OptionError: The work would take very long, and nobody agreed to that.
        """
        notes = ["resumed a run that was interrupted"] if self._store.resumed else []
        expected = self._plan()
        self._paced_from = (time.monotonic(), 0)
        yield self._progress("plan", _costs(expected), (*notes, *self._painted.notes))
        yield from self._paint_shots(control)
        if control.canceled:
            return
        writer: BackgroundWriter[Shown] | None = None
        try:
            for event in self._painted.events(self._store):
                if isinstance(event, Shown):
                    writer = writer or self._open_writer()
                    writer.add(event)
                    self._shown = event.index + 1
                    yield from self._preview(event.pixels)
                    yield self._progress("frames")
                else:
                    facts = {"part": event.done, "parts": event.total}
                    if event.resumed:
                        self._paced_from = (time.monotonic(), self._shown)
                    yield self._progress(event.stage, facts)
                    yield from self._preview(event.picture)
                if control.canceled:
                    break
            else:
                if writer is not None:
                    writer.finish()
        finally:
            if writer is not None:
                writer.close()
        if not control.canceled:
            remove_parts(Path(self._job.output))
            yield self._saved(is_partial=False)
        elif control.keeps:
            yield self.save_partial()

    def _paint_shots(self, control: Control) -> Iterator[Event]:
        side_by_side = paint_side_by_side(
            self._job, self._painted, self._store, self._helpers, previews_s=self._previews_s
        )
        with closing(side_by_side) as events:
            for event in events:
                yield event
                if control.canceled:
                    return
        collect_shots(self._store)  # of a run that was killed, too

    def save_partial(self) -> Saved:
        """Write the frames that are finished.

        Raises:
            OptionError: There is none.
        """
        target = Path(self._job.output)
        suffix = target.suffix.lower()
        is_stream = suffix in video.FORMATS and video.FORMATS[suffix].needs_av
        count = None if is_stream else sum(1 for _ in self._painted.finished(self._store))
        shown = self._painted.finished(self._store)
        first = next(shown, None)
        if first is None:
            raise OptionError(
                f"No frame of {self._job.output!r} is done: there is no interrupted run of this request with one."
            )
        film = self._painted.film(
            self._follow(itertools.chain((first,), shown)), target.suffix, count=count, is_partial=True
        )
        write_film(film, target, self._store, quality=self._painted.quality)
        return self._saved(is_partial=True)

    def _follow(self, shown: Iterator[Shown]) -> Iterator[Shown]:
        for each in shown:
            self._shown = each.index + 1
            yield each

    def _open_writer(self) -> "BackgroundWriter[Shown]":
        """Begin the film; its length is known, since the video has been read when its first frame is there."""
        self._count = count_drawn(self._store) or self._count
        target = Path(self._job.output)

        def write(shown: Iterator[Shown]) -> None:
            film = self._painted.film(shown, target.suffix, count=self._count)
            write_film(film, target, self._store, quality=self._painted.quality)

        return BackgroundWriter(write)

    def _plan(self) -> Estimate | None:
        """Choose the steps that a time limit allows, and return what the work will cost; None if it was resumed."""
        painted, kept = self._painted, self._store.read_json(_PLAN)
        if isinstance(kept, int | float):
            self._expected_s = kept
            painted.choose_steps(self._store)
            return None
        speed = measure(painted)
        painted.choose_steps(self._store, speed)
        expected = estimate(painted, speed, steps=painted.steps or None)
        if expected.seconds > LONG_S and not self._agreed:
            remove_parts(Path(self._job.output))
            raise OptionError(
                f"The film has {expected.frames} frames and takes about {expected.seconds / 3600:.0f} hours; "
                "agree to that (--yes), or give a smaller --size, a --time, --on 2, or a part with --start and --end."
            )
        self._expected_s = expected.seconds
        self._store.write_json(_PLAN, expected.seconds)
        return expected

    def _progress(self, stage: str, facts: dict[str, Any] | None = None, notes: tuple[str, ...] = ()) -> Progress:
        return Progress(
            job=self._job.id,
            done=self._shown,
            total=self._count,
            left_s=self._left_s(),
            stage=stage,
            facts=facts or {},
            notes=notes,
        )

    def _left_s(self) -> float:
        """Return the seconds left: by the estimate, or by the pace since the last part that was there already."""
        since_s, since = self._paced_from
        passed_s, made = time.monotonic() - since_s, self._shown - since
        left = max(0, self._count - self._shown)
        if made >= _PACE_FROM * self._count:
            return passed_s / made * left
        return max(1.0, self._expected_s * left / max(1, self._count) - passed_s) if left else 0.0

    def _preview(self, picture: Frame | None) -> Iterator[Event]:
        if picture is None or self._previews_s is None or time.monotonic() - self._previewed_s < self._previews_s:
            return
        self._previewed_s = time.monotonic()
        yield Preview(job=self._job.id, jpeg=encode_frame(picture), done=self._shown)

    def _saved(self, *, is_partial: bool) -> Saved:
        painted = self._painted
        notes = list(painted.notes)
        sound, suffix = painted.sound, Path(self._job.output).suffix.lower()
        sound_note = None if sound is None else video.describe_sound(sound, suffix)
        notes += [] if sound_note is None else [sound_note]
        if is_partial:
            notes.append(
                f"{self._shown} of about {self._count} frames are done; the same request goes on with the rest"
            )
        return Saved(
            job=self._job.id,
            outputs=(self._job.output,),
            facts={
                "size": painted.size._asdict(),
                "frames": self._shown,
                "fps": painted.fps,
                "duration_s": self._shown / painted.fps,
                "transparent": painted.is_transparent,
                "sound": sound is not None and suffix in video.FORMATS and video.FORMATS[suffix].needs_av,
                "partial": is_partial,
                "seed": painted.recipe.seed,
                "timings": {"paint": time.monotonic() - self._started_s},
                "video": painted.settings.model_dump(mode="json"),
                "recipe": painted.asked.to_dict(),
            },
            notes=tuple(notes),
            interrupted=is_partial and not self._job.form.get("partial", False),
        )


def _costs(expected: Estimate | None) -> dict[str, Any]:
    if expected is None:
        return {}
    return {
        "frames": expected.frames,
        "keys": expected.keys,
        "seconds": expected.seconds,
        "expected_bytes": expected.memory_bytes,
        "work_bytes": expected.work_bytes,
        "film_bytes": expected.film_bytes,
    }
