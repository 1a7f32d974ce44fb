"""Shapes of the API's requests and answers."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Look(BaseModel):
    """A style and its share in a blend."""

    model_config = ConfigDict(extra="forbid")

    id: str
    weight: float = Field(default=1.0, gt=0, le=100)


class LooksOf(BaseModel):
    """Styles of the whole picture, or of its regions."""

    model_config = ConfigDict(extra="forbid")

    whole: list[Look] = Field(default_factory=list, max_length=8)
    subject: list[Look] = Field(default_factory=list, max_length=8)
    background: list[Look] = Field(default_factory=list, max_length=8)


class Order(BaseModel):
    """Looks and settings of a painting. Settings that are missing have their defaults."""

    model_config = ConfigDict(extra="forbid")

    looks: LooksOf = Field(default_factory=LooksOf)
    settings: dict[str, Any] = Field(default_factory=dict)


class JobOrder(Order):
    """Request to paint a photo."""

    photo: str
    use_mask: bool = True
    variations: int = Field(default=1, ge=1, le=9)


class Corrections(BaseModel):
    """Hints for finding the subject, in the photo's pixels."""

    model_config = ConfigDict(extra="forbid")

    keep_points: list[tuple[int, int]] = Field(default_factory=list, max_length=200)
    drop_points: list[tuple[int, int]] = Field(default_factory=list, max_length=200)
    box: tuple[int, int, int, int] | None = None
    subject: str = Field(default="all", max_length=200)


class Photo(BaseModel):
    """A photo and what is known of its subject."""

    id: str
    name: str
    width: int
    height: int
    notes: list[str] = []
    state: Literal["finding", "found", "failed"] = "finding"
    mask_version: str | None = None
    """Changes with the mask; None while there is none."""
    parts: int = 0
    subject: str = "all"
    corrections: Corrections | None = None
    error: str = ""
    order: Order | None = None
    """Looks and settings, if the upload was one of pochoir's own pictures."""


class Style(BaseModel):
    """A style picture."""

    id: str
    name: str
    description: str = ""
    builtin: bool = False


class JobInfo(BaseModel):
    """State of a painting."""

    id: str
    photo: str
    name: str
    state: str
    """``queued``, ``started``, ``saved``, ``skipped``, ``canceled`` or ``failed``."""
    done: int = 0
    total: int = 0
    left_s: float | None = None
    stage: str = ""
    preview: int = 0
    """Number of the last preview; 0 while there is none."""
    error: str = ""
    stopping: bool = False
    variation: int = 0
    order: Order | None = None


class Jobs(BaseModel):
    """Paintings that were queued."""

    jobs: list[JobInfo]


class Item(BaseModel):
    """A finished picture."""

    id: str
    name: str
    width: int
    height: int
    made: float
    """Seconds since 1970."""
    photo: str | None = None
    job: str | None = None
    has_matte: bool = False
    transparent: bool = False
    notes: list[str] = []
    seconds: float | None = None
    variation: int = 0
    order: Order | None = None


class RecipeTexts(BaseModel):
    """A picture's recipe in three forms."""

    recipe: dict[str, Any]
    command: str
    python: str


class Limits(BaseModel):
    """Limits of requests."""

    upload: int
    """Bytes."""


class State(BaseModel):
    """Everything that the page shows first."""

    version: str
    limits: Limits
    settings: dict[str, Any]
    """JSON schema of each setting that the page offers."""
    styles: list[Style]
    photo: Photo | None
    jobs: list[JobInfo]
    history: list[Item]


class Problem(BaseModel):
    """One line about what was wrong and what to do."""

    error: str
    field: str | None = None
