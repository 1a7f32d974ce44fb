"""Machine code of one kernel."""

from typing import NamedTuple


class Compiled(NamedTuple):
    """Machine code of one function."""

    symbol: str
    """Name of the function in the object file."""
    arguments: tuple[str, ...]
    """Argument types in numba's notation, such as ``int64``."""
    code: bytes
    """Contents of the object file."""
