"""Interruption of long computations: whoever starts one says when it should stop, and it looks in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_should_stop: ContextVar[Callable[[], bool] | None] = ContextVar("should_stop", default=None)


class Interrupted(Exception):  # noqa: N818  # nothing went wrong
    """The computation was stopped because nobody wants its result any more."""


@contextmanager
def interruptible(should_stop: Callable[[], bool] | None) -> Iterator[None]:
    """Let ``check_interrupt`` raise inside of a block, in this thread, once a function returns True.

    Args:
        should_stop: The function; it is called often, so it has to be quick. None never stops.
    """
    token = _should_stop.set(should_stop)
    try:
        yield
    finally:
        _should_stop.reset(token)


@contextmanager
def bare_keyboard_interrupts() -> Iterator[None]:
    """Raise a ``KeyboardInterrupt`` as it is where a library wraps it, as pydantic does with errors of serializers."""
    try:
        yield
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise error.__cause__ from None
        raise


def check_interrupt() -> None:
    """Raise if the computation should stop.

    Raises:
        Interrupted: It should.
    """
    should_stop = _should_stop.get()
    if should_stop is not None and should_stop():
        raise Interrupted
