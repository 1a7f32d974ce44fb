"""Compiles kernels once and keeps the result for later runs."""

import logging
from collections.abc import Callable
from typing import Any

import numba

logger = logging.getLogger(__name__)


def compiled(signature: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function for one signature, without the interpreter's lock.

    The machine code is kept beside the source file or, if that folder cannot be written, in the user's cache folder
    (``NUMBA_CACHE_DIR`` names another one). If it cannot be kept at all, each run compiles anew.

    Args:
        signature: In numba's words, such as ``"void(intp, float32)"``.
    """

    def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            kept: Callable[..., Any] = numba.njit(signature, cache=True, nogil=True)(function)
        except (OSError, RuntimeError) as error:  # the disk is full; or there is no folder to write to
            logger.info("Compiled kernels cannot be kept (%s).", error)
            lost: Callable[..., Any] = numba.njit(signature, nogil=True)(function)
            return lost
        return kept

    return compile_function
