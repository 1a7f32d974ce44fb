"""Encoders leave the scheduling of the process as it was."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pochoir import video
from pochoir._types import Size
from pochoir.video import CODECS, Film
from pochoir.video.priority import ordinary_priority

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lists threads")


def policies() -> set[int]:
    return {os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()}


def seen_while_writing(path: Path, codec: str) -> list[set[int]]:
    seen = []

    def frames() -> Iterator[np.ndarray]:
        for value in range(12):
            seen.append(policies())
            yield np.full((48, 64, 3), 20 * value, np.uint8)

    video.save(path, Film(frames=frames(), count=12, size=Size(48, 64), fps=12.0, codec=codec))
    return [*seen, policies()]


@pytest.mark.parametrize("codec", CODECS)
def test_no_thread_becomes_real_time(tmp_path: Path, codec: str) -> None:
    """As root, SVT-AV1 makes its own threads and the caller's real-time, which stops everything else on the machine."""
    assert policies() == {os.SCHED_OTHER}
    seen = seen_while_writing(tmp_path / f"film{CODECS[codec].suffixes[0]}", codec)
    assert seen == [{os.SCHED_OTHER}] * 13


def test_an_avif_leaves_it_alone(tmp_path: Path) -> None:
    video.save(
        tmp_path / "film.avif",
        Film(frames=iter([np.zeros((48, 64, 3), np.uint8)]), count=1, size=Size(48, 64), fps=12.0),
    )
    assert policies() == {os.SCHED_OTHER}


def in_a_thread(work: Callable[[], None]) -> None:
    """Run it in a thread of its own, whose scheduling dies with it."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # shown in the test's thread
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def make_real_time() -> None:
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pytest.skip("only root may ask for real-time scheduling")


def test_real_time_asked_for_inside_is_undone() -> None:
    def work() -> None:
        with ordinary_priority():
            make_real_time()
        assert os.sched_getscheduler(0) == os.SCHED_OTHER

    in_a_thread(work)


def test_real_time_that_the_user_chose_stays() -> None:
    def work() -> None:
        make_real_time()
        with ordinary_priority():
            pass
        assert os.sched_getscheduler(0) == os.SCHED_RR

    in_a_thread(work)
