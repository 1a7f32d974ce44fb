"""Record: what made a picture. It is written into the picture, and is enough to make it again."""

import json
from collections.abc import Mapping
from typing import Any, Self

from pochoir.errors import InputError
from pochoir.recipe.environment import Environment
from pochoir.recipe.form import Form
from pochoir.recipe.key import work_key
from pochoir.recipe.model import FrozenModel, to_plain
from pochoir.recipe.recipe import Recipe
from pochoir.recipe.request import InputFile, Request
from pochoir.recipe.settings import check_schedule


def to_line(values: Mapping[str, Any]) -> str:
    """Return the values of a record as one line of JSON that every file can hold."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    # A file name that is not UTF-8 holds lone surrogates, which no file can; escaped like this they are JSON, too.
    return text.encode(errors="backslashreplace").decode()


def holds_table(text: str, name: str) -> bool:
    """Return whether a text is a record with a table of this name, as those of clips and films are."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(values, dict) and isinstance(values.get(name), dict)


class Record(FrozenModel):
    """Request that made a picture, and the environment it ran in.

    Attributes:
        request: Settings and inputs, as they were asked for.
        environment: Machine, versions and weights.
        done: Steps that each scale was given, coarse to fine, where a time limit decided; empty where the request
            itself says it.
    """

    field_noun = "field of a record"

    request: Request
    environment: Environment
    done: tuple[int, ...] = ()

    @property
    def recipe(self) -> Recipe:
        """Settings that give the same picture again: as asked, but with the steps done in place of a time limit."""
        recipe = self.request.recipe
        return recipe.replace(time=None, schedule=self.done) if self.done else recipe

    @property
    def key(self) -> str:
        """Key of the request that this picture answers; see ``work_key``."""
        return work_key(self.request, self.environment)

    def to_json(self) -> str:
        """Return this record as one line of JSON; equal runs give equal lines, as it holds no times."""
        environment = to_plain(self.environment)
        values = {"pochoir": environment.pop("version"), **to_plain(self.request), **environment}
        for name in ("form", "own"):
            if not values[name]:
                del values[name]
        if self.done:
            values["done"] = list(self.done)
        return to_line(values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a record of this version or an earlier one.

        Raises:
            InputError: The text is no record, or lacks a part. Errors of the recipe inside are raised unchanged.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            stored = values["recipe"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _not_a_record(error) from error
        recipe = None if not isinstance(stored, dict) else Recipe.from_dict(stored)
        try:
            if recipe is None:
                raise TypeError("the recipe is no table")
            return cls(
                request=Request(
                    recipe=recipe,
                    inputs=tuple(InputFile(**entry) for entry in values["inputs"]),
                    form=_read_form(values),
                    own=tuple(values.get("own", ())),
                ),
                environment=Environment(
                    version=values["pochoir"],
                    torch=values["torch"],
                    weights=values["weights"],
                    device=values["device"],
                    threads=values["threads"],
                    engine=values.get("engine", "torch"),  # earlier records do not name it: there was one
                ),
                done=_read_done(values.get("done", ())),
            )
        except (InputError, ValueError, KeyError, TypeError) as error:
            raise _not_a_record(error) from error


def _read_form(values: dict[str, Any]) -> Form | None:
    stored = values.get("form", values.get("output"))  # earlier versions call it output
    return None if stored is None else Form(**stored)


def _read_done(stored: Any) -> tuple[int, ...]:
    done = tuple(stored)
    if not all(isinstance(count, int) for count in done):
        raise TypeError(f"the steps done are whole numbers, not {stored!r}")
    check_schedule(done)
    return done


def _not_a_record(error: Exception) -> InputError:
    told = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return InputError(f"This is not a record that pochoir wrote ({told.rstrip('.')}).")
