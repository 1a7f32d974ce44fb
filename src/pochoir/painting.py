"""A run: steps over a scene, with checkpoints and a time budget."""

import dataclasses
import hashlib
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Self

import torch

from pochoir import checkpoints, enlarge, imaging, weights
from pochoir._interrupts import Interrupted, interruptible
from pochoir._threads import torch_threads
from pochoir._time_limit import TimeLimit
from pochoir.encoders import VGG, expected_engine
from pochoir.errors import WriteError
from pochoir.loading import LoadedEncoder, OpenEncoder, describe_environment, open_encoder
from pochoir.recipe import Environment, Recipe, Record, Request
from pochoir.result import Result, compose
from pochoir.scene import Scene
from pochoir.transfer import Checkpoint, Step, StyleTargets, expected_bytes, give_back, iter_paint
from pochoir.transfer.stopping import TIME_UP


class Painting:
    """A run that can be watched: iterate for ``Step`` events, ask for ``result()`` at any time.

    Iterating a second time continues after the last step.

    Args:
        scene: The photo and the regions to paint.
        encoder: Network of the user's own, on the scene's device, instead of the recipe's.
        open_encoder: Lends the recipe's encoder; by default it is loaded.
        targets: Cache of Gram matrices for ``encoder``.
        checkpoint: File that keeps the unfinished painting. A painting resumes from it if it holds this very run, and
            updates it at the end of each scale.
        recorded: Record of the picture that is painted again; the new record repeats what was asked for.
        threads: Number of CPU threads; None takes the recipe's, or torch's.
        engine: ``"auto"``, or ``"torch"`` for an encoder on plain torch; see ``encoders.VGG``.
        notes: Sentences for the user besides those of the run itself.
        started_s: Start of the recipe's time, on the clock of ``time.monotonic()``; None for now.

    Attributes:
        scene: As above.
        threads: Number of CPU threads.
        timings: Seconds spent in each stage so far.
        last_step: The last step that was taken; None before the first.
        is_finished: Whether no further step follows.
        resumed_steps: Steps that an earlier process had done.
        should_stop: Function that is asked many times during each step; once it returns True, painting ends within the
            step. None never ends it.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        encoder: VGG | None = None,
        open_encoder: OpenEncoder = open_encoder,
        targets: StyleTargets | None = None,
        checkpoint: str | Path | None = None,
        recorded: Record | None = None,
        threads: int | None = None,
        engine: str = "auto",
        notes: tuple[str, ...] = (),
        started_s: float | None = None,
    ) -> None:
        self.scene = scene
        self.threads = threads or scene.recipe.threads or torch.get_num_threads()
        self.timings: dict[str, float] = {}
        self.last_step: Step | None = None
        self.is_finished = False
        self.resumed_steps = 0
        self.should_stop: Callable[[], bool] | None = None
        self._steps_by_scale: dict[int, int] = {}
        self._checkpoint: Checkpoint | None = None
        self._checkpoint_path: Path | None = None
        self._checkpoint_error: WriteError | None = None
        self._limit = TimeLimit(scene.recipe.time, started_s)
        self._given_notes = notes
        self._encoder = encoder
        self._open_encoder = open_encoder
        self._targets = targets
        self._engine = engine
        self._recorded = recorded
        self._steps = self._run()
        if checkpoint is not None:
            self.resume(checkpoint)

    def __iter__(self) -> Iterator[Step]:
        return self._steps

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        step = self.last_step
        state = "not started" if step is None else f"{step.done} of {step.total} steps"
        return f"Painting({self.scene!r}, {state})"

    @property
    def recipe(self) -> Recipe:
        """The settings."""
        return self.scene.recipe

    @property
    def request(self) -> Request:
        """The settings, the inputs and the user's own objects that make the picture."""
        if self._recorded is not None:
            return self._recorded.request
        own = [] if self.scene.own_segmenter is None else [f"segmenter {self.scene.own_segmenter.name!r}"]
        own += [] if self._encoder is None else ["encoder"]
        return Request(recipe=self.recipe, inputs=self.scene.sources.files(), own=tuple(own))

    @cached_property
    def environment(self) -> Environment:
        """The versions, weights and machine that make the picture."""
        scene = self.scene
        if self._encoder is not None:
            engine = self._encoder.engine
        else:
            engine = "torch" if self._engine == "torch" else expected_engine(scene.device)
        return describe_environment(
            self.recipe,
            device=scene.device,
            threads=self.threads,
            engine=engine,
            own_encoder=self._encoder is not None,
            own_segmenter=scene.own_segmenter is not None,
            keeps_faces=scene.keeps_faces,
        )

    @property
    def key(self) -> str:
        """Key of the picture that is asked for; see ``work_key``."""
        return self.record.key

    @property
    def record(self) -> Record:
        """The record of the picture that is asked for; that of a run that is cut short differs."""
        return Record(request=self.request, environment=self.environment)

    @property
    def expected_bytes(self) -> int:
        """Memory that painting will take, about."""
        return expected_bytes(self.recipe.memory, self.scene.size)

    def resume(self, path: str | Path) -> bool:
        """Keep the unfinished painting in a file, and continue from what the file holds. Call it before the first step.

        Each scale that ends replaces the file. A missing or damaged one is ignored and replaced, and so is that of
        another request or environment.

        Args:
            path: The file. Its folder has to exist.

        Returns:
            Whether the painting continues an earlier one. It then comes to the same picture as an uninterrupted run.
        """
        self._checkpoint_path = Path(path)
        self._checkpoint = checkpoints.read(self._checkpoint_path, key=self._checkpoint_key)
        if self._checkpoint is None:
            return False
        self._steps_by_scale = dict(enumerate(self._checkpoint.steps, start=1))
        self.resumed_steps = sum(self._checkpoint.steps)
        return True

    def remove_checkpoint(self) -> None:
        """Delete the file of ``resume``; call it when the result has been saved."""
        if self._checkpoint_path is not None:
            self._checkpoint_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop painting and free the memory of the next step. ``result()`` stays available."""
        self._steps.close()

    def result(self) -> Result:
        """Return the result with the best picture so far; before the first step, with the photo unpainted."""
        with torch_threads(self.threads):
            self._segment()
            step = self.last_step
            with self._timed("compose"):
                pastiche = self.scene.ground if step is None else step.picture().cpu()
                composite, front, matte = compose(self.scene, pastiche)
        return Result(
            composite=composite,
            pastiche=pastiche,
            matte=matte,
            front=front,
            losses=None if step is None else step.losses,
            timings=dict(self.timings),
            recipe=self.recipe,
            notes=self._notes(),
            provenance=self._provenance(),
            photo=self.scene.sources.photo,
        )

    def _run(self) -> Generator[Step, None, None]:
        steps = self._iter_steps()
        try:
            while True:
                # Between two steps the process is the caller's, who may stop or watch another painting, too.
                with torch_threads(self.threads), interruptible(self._should_break_off):
                    step = next(steps, None)
                if step is None:
                    self.is_finished = True
                    return
                self._take(step)
                yield step
        except Interrupted:
            if self.last_step is not None and self._is_time_up:
                self.is_finished = True
                self.last_step = dataclasses.replace(self.last_step, left_s=0.0, reason=TIME_UP)
        finally:
            steps.close()
            give_back()  # pictures of other sizes follow

    def _should_break_off(self) -> bool:
        """Return whether the step that is being done is not waited for."""
        return self._is_time_up or (self.should_stop is not None and self.should_stop())

    @property
    def _is_time_up(self) -> bool:
        """True once limited time is over. The first step is always finished."""
        return self.last_step is not None and self._limit.left_s < 0

    def _take(self, step: Step) -> None:
        self.last_step = step
        self._steps_by_scale[step.scale] = step.step
        self.timings["paint"] = step.elapsed_s
        if step.checkpoint is not None and self._checkpoint_path is not None:
            try:
                checkpoints.write(self._checkpoint_path, step.checkpoint, key=self._checkpoint_key)
            except WriteError as error:  # no reason to lose the painting, too
                self._checkpoint_error = error

    def _iter_steps(self) -> Generator[Step, None, None]:
        scene = self.scene
        if self.recipe.enlarge > 1:
            weights.where(enlarge.WEIGHTS)  # a painting that cannot be finished is not begun
        self._segment()
        regions = scene.regions
        loading_s = time.monotonic()
        with self._lend_encoder() as loaded:
            self.timings["load encoder"] = time.monotonic() - loading_s
            init = scene.sources.init
            start = None if init is None else imaging.resize(init.rgb, scene.size).to(scene.device)
            yield from iter_paint(
                scene.ground.to(scene.device),
                regions,
                loaded.encoder,
                self.recipe,
                start=start,
                budget_s=self._begin_time(),
                checkpoint=self._checkpoint,
                targets=loaded.targets,
                emphasis=scene.emphasis,
            )

    @property
    def _checkpoint_key(self) -> str:
        """Hash of everything that the bytes of the picture depend on, rounding included."""
        parts = (self.key, self.environment.model_dump_json(), self.recipe.memory)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()

    def _lend_encoder(self) -> AbstractContextManager[LoadedEncoder]:
        if self._encoder is not None:
            return nullcontext(LoadedEncoder(self._encoder, self._targets))
        return self._open_encoder(self.recipe, self.scene.device, self._engine)

    def _segment(self) -> None:
        """Find the subject, which the scene does once."""
        if "segment" not in self.timings:
            with self._timed("segment"):
                found = self.scene.segmentation
            if found is None:
                del self.timings["segment"]
            else:
                give_back()  # what the network freed

    def _begin_time(self) -> float:
        """Return the seconds that are left for painting."""
        if self.recipe.time is not None:
            _ = self.environment  # hashes the weights, which would take a part of the time for saving
            self._limit.keep_for_saving(self.scene.saved_size.pixels)
        return self._limit.left_s

    def _steps_done(self) -> tuple[int, ...]:
        """Return the steps that each scale was given; empty where the recipe itself says it."""
        step = self.last_step
        if step is None or (self.is_finished and self.recipe.time is None):
            return ()
        return tuple(self._steps_by_scale.get(scale, 0) for scale in range(1, step.scales + 1))

    def _notes(self) -> tuple[str, ...]:
        notes = [*self._given_notes, *self.scene.notes]
        if self._checkpoint_error is not None:
            notes.append(f"the unfinished painting was not kept: {self._checkpoint_error}")
        if self.last_step is not None:
            notes += self.last_step.notes
            if self.last_step.reason:
                count = f"{self.last_step.done} of {self.last_step.total} steps"
                notes.append(f"painted in {count}: {self.last_step.reason}")
        return tuple(dict.fromkeys(notes))

    def _provenance(self) -> Record:
        if self._recorded is not None and self.is_finished:
            return self._recorded.replace(environment=self.environment)
        done = self._steps_done()
        # A run that was broken off is not what was asked for: its record asks for the steps that were done.
        recipe = self.recipe if self.is_finished or not done else self.recipe.replace(time=None, schedule=done)
        return Record(
            request=self.request.replace(recipe=recipe),
            environment=self.environment,
            done=done if self.is_finished else (),
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started_s = time.monotonic()
        try:
            yield
        finally:
            self.timings[stage] = time.monotonic() - started_s
