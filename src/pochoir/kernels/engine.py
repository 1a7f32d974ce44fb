"""Which engine the user asks for."""

import os
from typing import Final

from pochoir.errors import UnknownNameError

ENGINE_VARIABLE: Final = "POCHOIR_ENGINE"
"""Environment variable that forces an engine; see ``chosen_engine``."""
ENGINES: Final = ("auto", "torch")


def chosen_engine() -> str:
    """The engine that the environment variable ``POCHOIR_ENGINE`` asks for.

    Returns:
        ``"auto"``: kernels where they serve, else torch. ``"torch"``: torch throughout.

    Raises:
        UnknownNameError: It asks for something else.
    """
    engine = os.environ.get(ENGINE_VARIABLE) or "auto"
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES, f"It is set by {ENGINE_VARIABLE}.")
    return engine
