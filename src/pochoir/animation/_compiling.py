"""Compilation of the numeric kernels, with the machine code kept between runs."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function on its first call, without the interpreter's lock.

    numba keeps the machine code beside the source, or in the user's cache folder where the source cannot be written.
    Without either, each process compiles anew.
    """
    try:
        made = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no folder that it may write to
        made = numba.njit(nogil=True, error_model="numpy")(function)
    return cast(Function, made)
