"""Request: the settings and inputs of a picture that is wanted."""

from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from pochoir.errors import OptionError
from pochoir.recipe.form import Form
from pochoir.recipe.model import FrozenModel
from pochoir.recipe.recipe import Recipe


def _check_text(value: object) -> str:
    if not isinstance(value, str):
        raise OptionError(f"An input is described by texts; got {value!r}.")
    return value


# Plain validation keeps names that are not UTF-8, which pydantic's own texts refuse.
Text = Annotated[str, PlainValidator(_check_text), WithJsonSchema({"type": "string"})]


class InputFile(FrozenModel):
    """One picture that a run read.

    Attributes:
        role: Use of the picture: ``"photo"``, ``"style"``, ``"subject style"``, ``"background style"``, ``"mask"``,
            ``"scribble"``, ``"backdrop"``, ``"init"``, ``"protect"``, or a style's role followed by ``" mask"``.
        name: File name, a built-in style's name, or ``"<image>"`` for a picture in memory.
        path: Path as it was given; None for a picture that was no file.
        sha256: Hash of the file's bytes, or of the pixels of a picture that was no file.
    """

    field_noun = "field of an input"

    role: Text
    name: Text
    path: Text | None
    sha256: Text


class Request(FrozenModel):
    """Picture that is wanted: settings, inputs and form.

    Attributes:
        recipe: All settings, as they were asked for.
        inputs: Pictures that are read.
        form: Form of a subject that is found; None where a photo is painted.
        own: Names of the user's own objects that take part, such as ``"segmenter 'mine'"``; no record brings them back.
    """

    field_noun = "field of a request"

    recipe: Recipe
    inputs: tuple[InputFile, ...]
    form: Form | None = None
    own: tuple[Text, ...] = ()
