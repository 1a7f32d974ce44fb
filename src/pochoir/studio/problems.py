"""Errors as one clear line for the page: without paths, and with what to do."""

import errno
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pochoir.errors import InputError, MissingExtraError, OptionError, PochoirError, WeightsError, WriteError
from pochoir.studio.folder import Folder, NotFoundError
from pochoir.studio.uploads import TooLargeError

FULL = "The disk is full: make room, then try again. Nothing that was saved is lost."
MOST_CHARS = 400
"""Longest message; values that were sent may be longer."""

_FULL_CODES = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("no space left on device", "disk is full", "quota exceeded")
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (NotFoundError, 404),
    (TooLargeError, 413),
    (InputError, 422),
    (WeightsError, 503),
    (MissingExtraError, 503),
    (WriteError, 507),
    (OSError, 507),
)


class FieldError(OptionError):
    """A setting cannot be used.

    Args:
        field: Name of the setting.
        text: Message.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def is_full(error: BaseException | str) -> bool:
    """Tell whether an error, or its text, says that the disk is full."""
    if isinstance(error, OSError) and error.errno in _FULL_CODES:
        return True
    text = str(error).lower()
    return any(words in text for words in _FULL_WORDS)


def describe(error: BaseException | str, folder: Folder) -> str:
    """Return one line about an error for the page.

    Files are named as the user knows them, since the API tells no paths.
    """
    if is_full(error):
        return FULL
    if isinstance(error, OSError):
        return f"The studio's folder cannot be used: {error.strerror or type(error).__name__}."
    is_known = isinstance(error, PochoirError | str)
    text = str(error) if is_known else f"{type(error).__name__}: {error}"
    for root in (folder.hidden, folder.root):
        text = re.sub(rf"{re.escape(str(root))}[/\\](?:[\w-]+[/\\])*", "", text)
    text = " ".join(text.split())
    return text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1]}…"


def find_field(text: str, names: Mapping[str, Any]) -> str | None:
    """Return the setting that a message begins with, so that it can stand beside its control."""
    match = re.match(r"(?:--)?([a-z][a-z_-]*)\b", text)
    name = match[1].replace("-", "_") if match else ""
    return name if name in names else None


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def describe_request(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """Return one line about a request of the wrong shape, and the name of its field if there is one.

    Args:
        errors: Errors of pydantic; the first one counts.
    """
    first = errors[0]
    kind, place = first["type"], [str(part) for part in first["loc"][1:]]
    if kind == "json_invalid":
        return "The request is not valid JSON.", None
    name = ".".join(part for part in place if not part.startswith(("function-", "tagged-"))) or "The request"
    given = _quote(first.get("input"))
    if kind == "missing":
        return f"{name} is missing.", place[-1] if place else None
    if kind == "extra_forbidden":
        return f"{name} is not a field of this request.", None
    text = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input should be ").rstrip(".")
    return f"{name} must be {text}; got {given}.", place[-1] if place else None


def _quote(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
