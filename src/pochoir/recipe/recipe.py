"""Recipe: all settings of a run in one flat, frozen value."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import AfterValidator, BeforeValidator, Strict, WithJsonSchema, model_validator

from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe.declare import setting
from pochoir.recipe.layers import check_layers
from pochoir.recipe.model import as_mapping, to_plain
from pochoir.recipe.output_settings import OutputSettings
from pochoir.recipe.settings import RegionSettings, SegmentSettings, TransferSettings, Treatment
from pochoir.recipe.style_ref import StyleRef
from pochoir.recipe.text_value import PathText
from pochoir.recipe.values import Backdrop

STYLE_FIELDS = ("style", "subject_style", "background_style")
"""Fields that name styles: for the whole picture, or for a region of it."""
MASK_FIELDS = tuple(f"{name}_mask" for name in STYLE_FIELDS)
"""Fields that name the masks of styles."""
DEVICES = ("auto", "cpu", "cuda", "cuda:0", "mps")
_DEVICE = r"auto|cpu|mps|cuda(:\d+)?"


def _one_or_many(value: Any) -> Any:
    """Return a list of styles or paths, also where a single one is given."""
    return [value] if isinstance(value, str | os.PathLike | StyleRef) else value


def _check_device(name: str) -> str:
    if not re.fullmatch(_DEVICE, name):
        raise UnknownNameError("device", name, DEVICES)
    return name


Device = Annotated[
    str, Strict(), AfterValidator(_check_device), WithJsonSchema({"type": "string", "pattern": f"^(?:{_DEVICE})$"})
]
Styles = Annotated[tuple[StyleRef, ...], BeforeValidator(_one_or_many)]
"""Styles of one region, which are blended."""
Paths = Annotated[tuple[PathText, ...], BeforeValidator(_one_or_many)]
"""Paths of files."""


class Recipe(SegmentSettings, TransferSettings, RegionSettings, OutputSettings):
    """All settings of a run.

    A recipe is flat, so every field can be an option, a line in a file or an axis of a sweep. Each stage sees only its
    part: ``SegmentSettings`` and ``TransferSettings`` are base classes. ``treatment_of`` joins ``RegionSettings`` with
    the settings for the whole picture.

    Raises:
        OptionError: A value is out of bounds or contradicts another.
        UnknownNameError: A name is not among the allowed ones.
    """

    style: Styles = setting((), "Style for the whole picture", group="styles", level="basic")
    subject_style: Styles = setting((), "Style for the subject", group="styles", level="basic")
    background_style: Styles = setting((), "Style for the background", group="styles", level="basic")
    style_mask: Paths = setting(
        (), "Picture that is white where the style's look is taken from; one for each style", group="styles"
    )
    subject_style_mask: Paths = setting((), "The same, one for each subject style", group="styles")
    background_style_mask: Paths = setting((), "The same, one for each background style", group="styles")
    backdrop: Backdrop = setting(
        Backdrop("photo"),
        "Ground behind the subject: photo, transparent, a colour as #rrggbb or by name, or a picture file",
        group="styles",
        level="basic",
    )
    full_size: bool = setting(
        False, "Save at the photo's full size, with edges from the full-size matte", group="output"
    )
    device: Device = setting("auto", "Device: auto, cpu, cuda, cuda:N or mps", group="machine")
    threads: int = setting(0, "CPU threads; 0 is all cores", group="machine", low=0, high=1024)

    @model_validator(mode="after")
    def _check_styles(self) -> "Recipe":
        if self.style and (self.subject_style or self.background_style):
            raise OptionError(
                "A style for the whole picture cannot be joined with a subject or background style; "
                "give the whole picture's style to both regions instead."
            )
        for name in STYLE_FIELDS:
            masks, count = len(getattr(self, f"{name}_mask")), len(getattr(self, name))
            if masks and masks != count:
                raise OptionError(
                    f"Each style needs its own mask: {name} has {count} and {name}_mask has {masks}; give as "
                    "many, in the same order. An all-white one takes the look from everywhere."
                )
        for region in ("subject", "background"):
            self._check_region(region)
        return self

    def _check_region(self, region: str) -> None:
        own = self._own_settings(region)
        if own and not getattr(self, f"{region}_style"):
            name = f"{region}_{next(iter(own))}".replace("_", "-")
            raise OptionError(f"--{name} is for a {region} that has its own style; give it a --{region}-style, too.")
        check_layers(self.encoder, own.get("content_layers", self.content_layers), self.style_layers)

    def _own_settings(self, region: str) -> dict[str, Any]:
        """Return the settings of one region, by their names for the whole picture."""
        names = (name for name in RegionSettings.model_fields if name.startswith(f"{region}_"))
        given = {name.removeprefix(f"{region}_"): getattr(self, name) for name in names}
        return {name: value for name, value in given.items() if value is not None}

    def treatment_of(self, region: str) -> Treatment:
        """Return the treatment of ``"subject"`` or ``"background"``."""
        return self.replace(**self._own_settings(region)).treatment

    @property
    def needs_matte(self) -> bool:
        """True if subject and background have to be separated."""
        return bool(self.subject_style or self.background_style or not self.backdrop.is_photo or self.mask)

    @property
    def paints_subject(self) -> bool:
        """True if the subject is repainted."""
        return bool(self.style or self.subject_style)

    @property
    def paints_background(self) -> bool:
        """True if the background is repainted; a background that is cut away is not."""
        return bool(self.style or self.background_style) and not self.backdrop.is_transparent

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a recipe from plain values, such as those of a file or of ``to_dict``.

        Raises:
            OptionError: A value is out of bounds or contradicts another.
            UnknownNameError: There is no such field, or a name is not among the allowed ones.
        """
        return cls.model_validate(dict(as_mapping(values, "A recipe")))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a recipe from a .json file or, whatever else its name, from a .toml file.

        Raises:
            OptionError: The file cannot be read, or holds no valid recipe.
            UnknownNameError: There is no such field, or a name is not among the allowed ones.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise OptionError(
                f"{path} is not a recipe in a text file. If it is a picture: pochoir recipe {path} > recipe.toml"
            ) from error
        except OSError as error:
            raise OptionError(f"Cannot read the recipe {path}: {error.strerror or error}.") from error
        try:
            values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise OptionError(f"{path} is not a valid recipe: {error}.") from error
        if not isinstance(values, dict):
            raise OptionError(f"{path} is not a valid recipe: it should hold a table of settings.")
        return cls.from_dict(values)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain values that JSON and ``from_dict`` take; ``None`` for those not set."""
        return to_plain(self)

    def to_toml(self) -> str:
        """Return all settings as TOML, which has no null: settings that are not set are left out."""
        return tomli_w.dumps({key: value for key, value in self.to_dict().items() if value is not None})
