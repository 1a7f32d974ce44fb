"""Events: reports of a job's progress."""

import json
import time
import traceback
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from pochoir.errors import InputError, PochoirError, WeightsError, WriteError


class Event(BaseModel):
    """Base of all events.

    Attributes:
        job: Name of the job.
        at: Time of the event in seconds since 1970.
    """

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    is_final: ClassVar[bool] = False
    """True if no further event of the job follows, unless it is queued again."""

    kind: str = ""
    job: str
    at: float = Field(default_factory=time.time)

    def to_json(self) -> str:
        """Return the event as one line of JSON in ASCII."""
        return json.dumps(self.model_dump(mode="json"))


class Queued(Event):
    """The job waits for a worker. ``reason`` says why if it has been started before."""

    kind: Literal["queued"] = "queued"
    photo: str
    output: str
    reason: str = ""


class Started(Event):
    """A worker began the job. ``worker`` names its process, ``threads`` is torch's number of threads there."""

    kind: Literal["started"] = "started"
    worker: str = ""
    threads: int = 0


class Progress(Event):
    """``done`` of ``total`` steps are made; ``left_s`` seconds remain, None while that is unknown."""

    kind: Literal["progress"] = "progress"
    done: int
    total: int
    left_s: float | None = None
    stage: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the steps that are made, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


class Preview(Event):
    """Small JPEG of the picture so far."""

    kind: Literal["preview"] = "preview"
    jpeg: bytes
    done: int = 0


class Saved(Event):
    """The output is in place."""

    is_final: ClassVar[bool] = True

    kind: Literal["saved"] = "saved"
    outputs: tuple[str, ...]
    facts: dict[str, Any] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    """True if the job was canceled and the best picture so far was kept."""


class Skipped(Event):
    """Nothing was done because the output is up to date."""

    is_final: ClassVar[bool] = True

    kind: Literal["skipped"] = "skipped"
    outputs: tuple[str, ...]
    reason: str = "up to date"
    notes: tuple[str, ...] = ()


class Canceled(Event):
    """The job was canceled; its output was not written."""

    is_final: ClassVar[bool] = True

    kind: Literal["canceled"] = "canceled"


class Failed(Event):
    """The job failed.

    Attributes:
        error: One line: what was wrong, what is allowed, what to do.
        category: ``"input"``, ``"weights"``, ``"write"``, ``"lost"`` (the worker died), ``"other"``, or
            ``"unexpected"`` for an error that pochoir did not raise on purpose.
        traceback: Stack of the error, for ``--verbose``.
    """

    is_final: ClassVar[bool] = True

    kind: Literal["failed"] = "failed"
    error: str
    category: Literal["input", "weights", "write", "lost", "other", "unexpected"] = "other"
    traceback: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def from_error(cls, job: str, error: BaseException) -> Self:
        """Describe an exception."""
        name = "" if isinstance(error, PochoirError) else f"{type(error).__name__}: "
        return cls(
            job=job,
            error=" ".join(f"{name}{error}".split()),
            category=_category_of(error),
            traceback="".join(traceback.format_exception(error)),
        )

    def to_exception(self) -> Exception:
        """Return an exception of pochoir that says the same, for callers that run one job."""
        kinds: dict[str, type[PochoirError]] = {category: kind for kind, category in _CATEGORIES}
        return kinds.get(self.category, PochoirError)(self.error)

    @property
    def concerns_all(self) -> bool:
        """True if other jobs are going to fail for the same reason: missing weights, a full disk."""
        return self.category in ("weights", "write")


_Category = Literal["input", "weights", "write", "other", "unexpected"]
_CATEGORIES: tuple[tuple[type[PochoirError], _Category], ...] = (
    (InputError, "input"),
    (WeightsError, "weights"),
    (WriteError, "write"),
    (PochoirError, "other"),
)


def _category_of(error: BaseException) -> _Category:
    return next((category for kind, category in _CATEGORIES if isinstance(error, kind)), "unexpected")


AnyEvent = Annotated[
    Queued | Started | Progress | Preview | Saved | Skipped | Canceled | Failed, Field(discriminator="kind")
]
_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


def event_from_json(text: str | bytes) -> Event:
    """Read an event from the JSON that ``Event.to_json`` returns.

    Raises:
        ValueError: The text is not an event.
    """
    values = json.loads(text)
    if isinstance(values, dict) and isinstance(values.get("jpeg"), str):
        import base64

        values["jpeg"] = base64.b64decode(values["jpeg"].replace("-", "+").replace("_", "/"))
    return _ADAPTER.validate_python(values)


FINAL_STATES = tuple(event.model_fields["kind"].default for event in (Saved, Skipped, Canceled, Failed))
"""States of jobs that are finished."""
