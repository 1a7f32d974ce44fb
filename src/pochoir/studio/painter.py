"""Painter: the process that does the queued jobs, one after the other."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pochoir.errors import PochoirError

if TYPE_CHECKING:
    from pochoir.jobs import Job, Store

PREVIEWS_S = 0.4
"""Seconds between two previews."""
LOOK_S = 0.15
"""Seconds between two looks for new jobs."""
ROOM_S = 2.0
"""Seconds between two tries to write to a store whose disk is full."""
RESTART_S = 1.0
"""Seconds before a process that died is started again."""


class Painter:
    """Process that works through a store's jobs. Jobs survive its death: another one resumes them.

    Args:
        store: File of the job store.
        threads: Threads of torch; 0 is all cores.
    """

    def __init__(self, store: Path, *, threads: int = 0) -> None:
        self._store, self._threads = store, threads
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="pochoir-painter", daemon=True)

    @property
    def pid(self) -> int | None:
        """Number of the process."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process, and another one whenever it dies."""
        self._spawn()
        self._watcher.start()

    def close(self) -> None:
        """End the process after its step."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        process.terminate()
        process.join(3.0)
        if process.is_alive():
            process.kill()
            process.join()

    def _spawn(self) -> None:
        self._process = self._context.Process(
            target=paint_queue, args=(self._store, self._threads, os.getpid()), name="pochoir-painter", daemon=True
        )
        self._process.start()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._process.join(0.5)
            if not self._process.is_alive() and not self._stopping.wait(RESTART_S):
                self._spawn()


def paint_queue(store_path: Path, threads: int, parent: int) -> None:
    """Do the jobs of a store until the parent process ends; runs in the painter's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # jobs are resumed from their checkpoints
    end_with_parent(parent)
    from pochoir.jobs import Store, Worker, create_executor, run

    with contextlib.suppress(Exception):  # the first painting reports what is missing
        _warm_up()
    executor = create_executor("serial", Worker.maker(previews_s=PREVIEWS_S), threads=threads or os.cpu_count() or 1)
    with Store(store_path) as store:
        while True:
            for job in store.pending()[:1]:
                try:
                    for _ in run([job], executor=executor, store=store):
                        pass
                except PochoirError:
                    _release(store, job)
                break
            else:
                time.sleep(LOOK_S)


def _release(store: "Store", job: "Job") -> None:
    """Give a job back to the queue, as soon as the store can be written again."""
    while True:
        try:
            store.release([job.id])
            return
        except PochoirError:
            time.sleep(ROOM_S)


def _warm_up() -> None:
    """Load the network and the compiled kernels, so that the first painting starts at once."""
    import torch

    from pochoir.encoders import load_encoder

    load_encoder("vgg19")(torch.zeros(1, 3, 64, 64), ("relu4_2",))


def end_with_parent(parent: int) -> None:
    """End this process soon after its parent has ended, however that happened."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=watch, name="pochoir-parent", daemon=True).start()
