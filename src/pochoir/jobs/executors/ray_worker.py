"""Worker on a node of a Ray cluster: runs jobs, with files that the node may not see."""

import importlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pochoir._files import reading_elsewhere
from pochoir.errors import MissingExtraError
from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Failed, Saved, Skipped
from pochoir.jobs.executors.protocol import MakeWorker
from pochoir.jobs.job import Job


class Signature(NamedTuple):
    """Size and time of a file, by which a node knows whether it sees the same file."""

    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: str) -> "Signature | None":
        """Return the signature of a file, None if there is none."""
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            return None
        return cls(status.st_size, status.st_mtime_ns)


class Delivery(NamedTuple):
    """Bytes of a finished output, from a node that does not see its folder."""

    files: dict[str, bytes]
    """Contents by the path to write."""


class RayWorker:
    """Body of an actor: runs jobs on a node."""

    def __init__(self, make_worker: MakeWorker, threads: int) -> None:
        self._threads = threads
        self._worker = make_worker()
        self._controls: dict[str, Control] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="pochoir-")
        self._number = 0

    def ready(self) -> int:
        """Return the number of the actor's process."""
        return os.getpid()

    def find_missing(self, files: Mapping[str, Signature], probe: str | None) -> tuple[list[str], bool]:
        """Return the files that this node does not see, and whether it sees the file ``probe``."""
        missing = [path for path, signature in files.items() if Signature.of(path) != signature]
        return missing, probe is not None and Path(probe).exists()

    def cancel(self, job: str, keep: bool) -> None:
        """Ask a job to stop after its step."""
        if job in self._controls:
            self._controls[job].cancel(keep=keep)

    def run(self, job: Job, shipped: Mapping[str, Any], sees_output: bool) -> Iterator[Event | Delivery]:
        """Run a job.

        Args:
            job: The job.
            shipped: References to the bytes of files that this node does not see, by path.
            sees_output: Whether the output is written at its own path.
        """
        # Ray sets OMP_NUM_THREADS to 1, which torch follows without a word. The number holds for one thread of the
        # process, and Ray runs each call in a thread that it chooses, so it is set here.
        from pochoir._threads import torch_threads

        self._controls[job.id] = control = Control()
        self._number += 1
        folder = Path(self._folder.name, str(self._number))
        places = self._unpack(shipped, folder)
        local = job
        if not sees_output:
            target = folder / "output" / Path(job.output).name
            target.parent.mkdir(parents=True)
            local = job.model_copy(update={"output": str(target)})
            for path in (job.output, f"{job.output}.json"):
                if path in places:
                    places[path].replace(target.parent / Path(path).name)
        try:
            with torch_threads(self._threads), reading_elsewhere(places):
                for event in self._worker.run(local, control):
                    yield from _bring_home(event, local, job)
                    if event.is_final:
                        return
        finally:
            del self._controls[job.id]

    def _unpack(self, shipped: Mapping[str, Any], folder: Path) -> dict[str, Path]:
        ray = import_ray()
        places: dict[str, Path] = {}
        for index, (path, reference) in enumerate(shipped.items()):
            places[path] = folder / str(index) / Path(path).name
            places[path].parent.mkdir(parents=True)
            places[path].write_bytes(ray.get(reference))
        return places


def _bring_home(event: Event, local: Job, job: Job) -> Iterator[Event | Delivery]:
    """Replace the node's output path by the job's own, and send the files along."""
    if local is job:
        yield event
        return
    if isinstance(event, Saved):
        yield Delivery(_read_output(Path(local.output), Path(job.output).parent))
    if isinstance(event, Saved | Skipped):
        event = event.model_copy(update={"outputs": (job.output,)})
    elif isinstance(event, Failed):
        event = event.model_copy(update={"error": event.error.replace(local.output, job.output)})
    yield event


def _read_output(written: Path, home: Path) -> dict[str, bytes]:
    """Return the contents of an output, a file or a folder, and of a record beside it, by the path to write."""
    files: list[Path] = []
    for place in (written, Path(f"{written}.json")):
        files += [place] if place.is_file() else sorted(place.rglob("*")) if place.is_dir() else []
    return {str(home / path.relative_to(written.parent)): path.read_bytes() for path in files if path.is_file()}


def import_ray() -> Any:
    """Import Ray.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise MissingExtraError("A cluster needs Ray: pip install 'pochoir[cluster]'.") from error
