"""Form in which a subject is saved."""

import re
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

from pydantic import Field, field_validator, model_validator
from pydantic_core import core_schema

from pochoir.errors import OptionError
from pochoir.recipe.model import FrozenModel
from pochoir.recipe.values import Backdrop

MAX_SIDE_PX = 32_768
"""Largest side of a cutout, in pixels."""
MAX_PAD_SHARE = 10.0

FormName = Literal["matte", "cutout", "trimap", "overlay", "stages", "parts", "doubt"]
Shadow = Literal["keep", "drop"]
FORMS: tuple[str, ...] = get_args(FormName)
SHADOWS: tuple[str, ...] = get_args(Shadow)


class Pad(NamedTuple):
    """Transparent margin on each side of a cutout: a number of pixels, or a share of the long side inside it."""

    px: int = 0
    share: float = 0.0

    def __str__(self) -> str:
        if not self.share:
            return str(self.px)
        return f"{f'{100 * self.share:.6f}'.rstrip('0').rstrip('.')}%"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        write = core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        return core_schema.no_info_plain_validator_function(parse_pad, serialization=write)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^\s*\d+(px|(\.\d+)?%)?\s*$", "examples": ["20", "5%"]}


def parse_pad(value: Any) -> Pad:
    """Read a margin: pixels as ``20`` or ``"20px"``, or a share as ``"5%"``.

    Raises:
        OptionError: It is neither, or out of bounds.
    """
    if isinstance(value, Pad):
        pad = value
    else:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        number = (
            re.fullmatch(r"(\d{1,9})(px)?|(\d{1,9}(?:\.\d{1,4})?)%", text.strip()) if isinstance(text, str) else None
        )
        if number is None:
            raise OptionError(f"A margin is a number of pixels such as 20, or a share such as 5%; got {value!r}.")
        pad = Pad(int(number[1] or 0), round(float(number[3]) / 100, 8) if number[3] else 0.0)
    if not 0 <= pad.px <= MAX_SIDE_PX:
        raise OptionError(f"A margin is 0 to {MAX_SIDE_PX} pixels; got {pad.px}.")
    if not 0 <= pad.share <= MAX_PAD_SHARE:
        raise OptionError(f"A margin is 0% to {MAX_PAD_SHARE:.0%}; got {pad}.")
    return pad


class Form(FrozenModel):
    """Form in which a subject is saved.

    Attributes:
        name: One of ``FORMS``.
        trim: Whether a cutout is cut to what is seen of the subject.
        pad: Margin around a cutout.
        size: Long side of a cutout in pixels, margin included; None keeps the photo's scale.
        square: Whether the canvas of a cutout is a square, with the cutout in the middle.
        shadow: ``"keep"`` or ``"drop"`` the shadow that the subject casts beside it.
        backdrop: Ground of a cutout: ``"transparent"``, or a plain colour as ``#rgb``, ``#rrggbb`` or a name.
    """

    field_noun = "field of a form"
    value_nouns = MappingProxyType({"name": "form"})

    name: FormName = "matte"
    trim: bool = Field(False, strict=True)
    pad: Pad = Pad()
    size: int | None = Field(None, ge=1, le=MAX_SIDE_PX, strict=True)
    square: bool = Field(False, strict=True)
    shadow: Shadow = "drop"
    backdrop: Backdrop = Backdrop("transparent")

    @field_validator("backdrop")
    @classmethod
    def _check_backdrop(cls, value: Backdrop) -> Backdrop:
        if value.color is None and not value.is_transparent:
            raise OptionError(
                f"The backdrop of a cutout is transparent, #rgb, #rrggbb or a name such as white; got {str(value)!r}."
            )
        return value

    @model_validator(mode="after")
    def _check_cutout(self) -> "Form":
        is_framed = self.trim or self.pad != Pad() or self.size is not None or self.shadow != "drop"
        is_framed = is_framed or self.square or not self.backdrop.is_transparent
        if self.name != "cutout" and is_framed:
            raise OptionError(
                "--trim, --pad, --size, --square, --shadow and --backdrop are for cutouts; add --as cutout."
            )
        return self

    @property
    def has_alpha(self) -> bool:
        """True if the picture is transparent somewhere."""
        return self.name == "cutout" and self.backdrop.is_transparent
