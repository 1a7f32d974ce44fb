"""Ctrl-C that keeps the picture at hand."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def deferred_interrupt(*, enabled: bool) -> Iterator[Callable[[], bool]]:
    """Context manager in which the first Ctrl-C only sets a flag; a second one interrupts as usual.

    So no step is cut in the middle, and the picture at hand is a whole one.

    Args:
        enabled: False leaves Ctrl-C as it is.

    Yields:
        Function that returns whether Ctrl-C was pressed.
    """
    if not enabled:
        yield lambda: False
        return
    asked: list[int] = []

    def remember(number: int, _frame: Any) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
