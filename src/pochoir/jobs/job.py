"""Jobs: requests with the place where their output goes."""

import hashlib
import json
import os
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator, ValidationError

from pochoir._interrupts import bare_keyboard_interrupts
from pochoir.errors import OptionError
from pochoir.recipe import Recipe

STREAM = "-"
"""Path that stands for standard input or standard output."""

FilePath = Annotated[str, BeforeValidator(os.fspath)]
"""Path as text. Bytes that are not UTF-8 are kept as lone surrogates, as ``os.fsdecode`` does."""


def _parse_recipe(value: Any) -> Recipe:
    return value if isinstance(value, Recipe) else Recipe.from_dict(value)


RecipeValue = Annotated[Recipe, PlainValidator(_parse_recipe), PlainSerializer(lambda recipe: recipe.to_dict())]
"""Recipe that is written as plain values and read from them."""


def output_id(output: str) -> str:
    """Return the name of the job that writes ``output``: the same for all spellings of one path."""
    return hashlib.sha256(os.fsencode(os.path.realpath(output))).hexdigest()[:20]


class Job(BaseModel):
    """A request and the file that its result is written to. One output is one job.

    Attributes:
        kind: Name of the work, one of ``work.kinds()``.
        photo: Path of the picture that is worked on, or ``"-"`` for standard input.
        output: Path of the file to write, or ``"-"`` for standard output.
        recipe: Settings.
        form: Settings of the output that only this kind of job has.
        force: Allow an existing file that this job did not make to be replaced.
        id: Name of the job in events and in the store; by default made from ``output``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = "stylize"
    photo: FilePath
    output: FilePath
    recipe: RecipeValue = Field(default_factory=Recipe)
    form: dict[str, Any] = Field(default_factory=dict)
    force: bool = False
    id: str = ""

    def model_post_init(self, _context: Any) -> None:
        """Name the job after its output unless it has a name."""
        if not self.id:
            object.__setattr__(self, "id", output_id(self.output))

    def __hash__(self) -> int:
        return hash(self.id)

    def to_json(self) -> str:
        """Return the job as one line of JSON in ASCII."""
        with bare_keyboard_interrupts():
            return json.dumps(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a job.

        Raises:
            OptionError: The text is not a job; the message names the first field that is wrong.
        """
        try:
            return cls.model_validate(json.loads(text))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the job"
            raise OptionError(f"This is not a job: {where}: {first['msg']}.") from error
        except (ValueError, RecursionError) as error:
            raise OptionError(f"This is not a job: {error}.") from error
