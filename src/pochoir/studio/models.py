"""Shapes of the API's requests and answers."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pochoir.studio.folder import is_id


def _check_id(text: str) -> str:
    if not is_id(text):
        raise ValueError("an id: 16 hexadecimal digits")
    return text


Id = Annotated[str, AfterValidator(_check_id)]
"""Id of a photo, style, job, picture or sheet."""


class Look(BaseModel):
    """A style and its share in a blend."""

    model_config = ConfigDict(extra="forbid")

    id: Id
    weight: float = Field(default=1.0, gt=0, le=100, strict=True)


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
    """Request to paint a photo once, or several times at small size on a sheet."""

    photo: Id
    use_mask: bool = True
    variations: int = Field(default=1, ge=1, le=9, strict=True)
    """Pictures on a sheet that differ in their strokes alone."""
    grid: list[str] = Field(default_factory=list, max_length=2)
    """Settings to sweep on a sheet, each such as ``"strength=0.2,0.5,0.8"``."""


class ClipOrder(Order):
    """Request for a clip of a finished picture, or of a photo with its mask in the looks that are given, if any."""

    photo: Id | None = None
    item: Id | None = None
    use_mask: bool = True
    clip: dict[str, Any] = Field(default_factory=dict)
    """Settings of the clip; those that are missing have their defaults."""


class Film(Order):
    """Looks and settings of a painted video."""

    film: dict[str, Any] = Field(default_factory=dict)
    """Settings of the film; those that are missing have their defaults. ``corrections`` hold for single frames: each
    has ``frame`` and any of ``keep_points``, ``drop_points`` and ``box``."""


class FilmOrder(Film):
    """Request to paint a video."""

    video: Id
    file_format: Literal["mp4", "webm", "mov", "mkv", "webp", "gif"] = "mp4"
    agreed: bool = False
    """Start even if the work takes longer than six hours."""


class FrameHints(BaseModel):
    """Hints for finding the subject in a frame of a video, in its pixels."""

    model_config = ConfigDict(extra="forbid")

    keep_points: list[tuple[int, int]] = Field(default_factory=list, max_length=200)
    drop_points: list[tuple[int, int]] = Field(default_factory=list, max_length=200)
    box: tuple[int, int, int, int] | None = None


class Estimate(BaseModel):
    """Expected cost of a film."""

    frames: int
    keys: int
    """Frames that are painted, about."""
    seconds: float
    memory: int
    """Bytes."""
    film: int
    """Bytes."""
    is_long: bool
    """True if the work is begun only if the user agrees to it."""


class FilmPreview(BaseModel):
    """A few small frames of a film, and what the whole will cost."""

    version: str
    captions: list[str]
    estimate: Estimate
    notes: list[str] = []


class Video(BaseModel):
    """A video."""

    id: str
    name: str
    width: int
    height: int
    frames: int
    fps: float
    duration_s: float
    has_sound: bool
    notes: list[str] = []


class Motion(BaseModel):
    """A motion of a clip."""

    name: str
    summary: str
    whom: str
    """Subjects that it suits."""
    problem: str = ""
    """Reason why the photo's subject cannot do it."""


class Place(BaseModel):
    """Place of a picture on a sheet."""

    sheet: Id
    axes: dict[str, list[Any]]
    """Values of the settings that are swept."""
    values: dict[str, Any]
    """Value of each of them in this picture."""


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
    """State of a painting or a clip."""

    id: str
    kind: str = "stylize"
    photo: str | None = None
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
    place: Place | None = None
    order: Order | None = None
    form: dict[str, Any] | None = None
    """Settings of a clip or a film."""
    video: str | None = None
    """Id of the video that is painted."""


class Jobs(BaseModel):
    """Paintings that were queued."""

    jobs: list[JobInfo]


class Item(BaseModel):
    """A finished picture or clip."""

    id: str
    kind: Literal["picture", "clip", "film"] = "picture"
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
    place: Place | None = None
    order: Order | None = None
    form: dict[str, Any] | None = None
    """Settings of a clip or a film."""
    video: str | None = None
    partial: bool = False
    """True if a film was stopped; it can go on."""
    frames: int = 1
    duration_s: float | None = None


class RecipeTexts(BaseModel):
    """A picture's recipe in three forms."""

    recipe: dict[str, Any]
    command: str
    python: str


class Limits(BaseModel):
    """Limits of requests."""

    upload: int
    """Bytes."""
    video: int
    """Bytes."""


class State(BaseModel):
    """Everything that the page shows first."""

    version: str
    limits: Limits
    settings: dict[str, Any]
    """JSON schema of each setting that the page offers."""
    axes: dict[str, list[Any]]
    """Settings that a sheet can sweep, with values to begin with."""
    clip_settings: dict[str, Any]
    """JSON schema of each setting of a clip."""
    clip_formats: list[str]
    """Formats in which clips can be downloaded."""
    film_settings: dict[str, Any]
    """JSON schema of each setting of a film."""
    film_formats: list[str]
    videos: list[Video]
    motions: list[Motion]
    styles: list[Style]
    photo: Photo | None
    jobs: list[JobInfo]
    history: list[Item]
    warning: str = ""
    """Message that stands, such as that of a full disk."""


class Problem(BaseModel):
    """One line about what was wrong and what to do."""

    error: str
    field: str | None = None
