"""A kernel as its compiler leaves it."""

from typing import NamedTuple


class Compiled(NamedTuple):
    """Machine code of one function."""

    symbol: str
    """Its name in the code."""
    arguments: tuple[str, ...]
    """Their types, as numba calls them."""
    code: bytes
    """An object file."""
