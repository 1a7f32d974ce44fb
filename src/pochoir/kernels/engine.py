"""Choice of the engine that computes features."""

import os
from typing import Final

from pochoir.errors import UnknownNameError

ENGINE_VARIABLE: Final = "POCHOIR_ENGINE"
"""Environment variable that forces an engine; see ``chosen_engine``."""
ENGINES: Final = ("auto", "torch")


def chosen_engine() -> str:
    """Return the engine that the environment variable ``POCHOIR_ENGINE`` asks for.

    Returns:
        ``"auto"`` for compiled kernels where they apply and torch elsewhere; ``"torch"`` for torch throughout.

    Raises:
        UnknownNameError: The variable has another value.
    """
    engine = os.environ.get(ENGINE_VARIABLE) or "auto"
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES, f"It is set by {ENGINE_VARIABLE}.")
    return engine
