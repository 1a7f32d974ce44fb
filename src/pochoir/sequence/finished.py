"""Store that offers what is finished and takes nothing new."""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, TypeVar

from pochoir.sequence.store import Pixels, Store

Value = TypeVar("Value")


class NotFinishedError(Exception):
    """A part is needed that no run has finished."""


class FinishedOnly:
    """Read-only view of a store, in which a missing picture ends the work.

    Args:
        store: Store with the finished parts.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def take(cls, store: Store, make: Callable[[Store], Iterator[Value]]) -> Generator[Value, None, None]:
        """Yield what ``make`` yields from a store until it needs a part that is missing."""
        try:
            yield from make(cls(store))
        except NotFinishedError:
            return

    def read_cuts(self) -> tuple[int, ...] | None:
        """Return the cuts."""
        found = self._store.read_cuts()
        if found is None:
            raise NotFinishedError
        return found

    def write_cuts(self, cuts: Sequence[int]) -> None:
        """Take no cuts: they would have to be found first."""
        raise NotFinishedError

    def read_picture(self, kind: str, index: int) -> Pixels:
        """Return a picture."""
        found = self._store.read_picture(kind, index)
        if found is None:
            raise NotFinishedError
        return found

    def write_picture(self, kind: str, index: int, picture: Pixels) -> None:
        """Take no picture: it would have to be painted first."""
        raise NotFinishedError

    def read_json(self, name: str) -> Any:
        """Return a value; None if it is not there."""
        return self._store.read_json(name)

    def write_json(self, name: str, value: Any) -> None:
        """Take no value, but let the work go on."""
