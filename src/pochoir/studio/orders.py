"""From looks and settings of the page to jobs, and from records back to looks and settings."""

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pochoir.errors import OptionError, PochoirError
from pochoir.recipe import BACKDROPS, INITS, Recipe, Record, StyleRef, format_setting, settings_table
from pochoir.studio.models import Look, LooksOf, Order

REGION_FIELDS = {"whole": "style", "subject": "subject_style", "background": "background_style"}
"""Fields of the recipe by the page's regions."""
HIDDEN_SETTINGS = frozenset(
    {
        *REGION_FIELDS.values(),
        *(f"{name}_mask" for name in REGION_FIELDS.values()),
        *("mask", "scribble", "box", "keep_points", "drop_points", "subject", "device", "protect"),
    }
)
"""Settings that the page gives in other ways, or that name files."""
VARIATION_PX = 256
"""Long side of a variation."""


def settings_schema() -> dict[str, Any]:
    """Return the JSON schema of each setting that the page offers, basic ones first."""
    table = settings_table()
    properties = Recipe.model_json_schema()["properties"]
    names = [name for name, item in table.items() if item.level != "experiment" and name not in HIDDEN_SETTINGS]
    names.sort(key=lambda name: table[name].level != "basic")
    return {name: properties[name] for name in names}


def build_recipe(order: Order, find_style: Callable[[str], str], mask: Path | None) -> Recipe:
    """Return the recipe of an order.

    Args:
        order: Looks and settings.
        find_style: Returns the path or the built-in name of a style's id.
        mask: The photo's mask; it is used where subject and background are told apart.

    Raises:
        InputError: A setting is unknown, out of bounds, or names a file.
    """
    for name, value in order.settings.items():
        if name in HIDDEN_SETTINGS:
            raise OptionError(f"{name} is not a setting of the page.")
        if name in ("backdrop", "init") and not _is_word(name, value):
            raise OptionError(f"{name} cannot name a file here; got {value!r}.")
    values: dict[str, Any] = {name: value for name, value in order.settings.items() if value is not None}
    for region, field in REGION_FIELDS.items():
        looks: list[Look] = getattr(order.looks, region)
        if looks:
            values[field] = [StyleRef(find_style(look.id), look.weight) for look in looks]
    if not any(field in values for field in REGION_FIELDS.values()):
        raise OptionError("Choose a look first: for the whole picture, the subject or the background.")
    recipe = Recipe.from_dict(values)
    needs_mask = bool(recipe.subject_style or recipe.background_style or values.get("backdrop", "photo") != "photo")
    return recipe.replace(mask=str(mask)) if needs_mask and mask is not None else recipe


def vary(order: Order, number: int) -> Order:
    """Return an order for a small picture with another seed."""
    settings = {**order.settings, "seed": int(order.settings.get("seed") or 0) + number, "size": VARIATION_PX}
    return order.model_copy(update={"settings": settings})


def order_of(record: Record, find_look: Callable[[str, str], str | None]) -> Order:
    """Return the looks and settings of a record; styles that are not on the shelf are left out.

    Args:
        record: Record of a picture.
        find_look: Returns the id of a style on the shelf by its name and its file's sha256.
    """
    recipe = record.recipe
    hashes: dict[str, list[str]] = {}
    for entry in record.request.inputs:
        hashes.setdefault(entry.role.replace(" ", "_"), []).append(entry.sha256)
    looks: dict[str, list[Look]] = {}
    for region, field in REGION_FIELDS.items():
        refs: tuple[StyleRef, ...] = getattr(recipe, field)
        known = hashes.get(field, [""] * len(refs))
        found = [(find_look(ref.source, sha256), ref.weight) for ref, sha256 in zip(refs, known, strict=False)]
        looks[region] = [Look(id=id_, weight=weight) for id_, weight in found if id_ is not None]
    offered = settings_schema()
    values = recipe.to_dict()
    defaults = Recipe().to_dict()
    settings = {name: values[name] for name in offered if values[name] != defaults[name]}
    for name in ("backdrop", "init"):
        if name in settings and not _is_word(name, settings[name]):
            del settings[name]
    return Order(looks=LooksOf(**looks), settings=settings)


def command_line(recipe: Recipe, photo: str, out: str) -> str:
    """Return the command that paints the same picture."""
    parts = ["pochoir", "stylize", photo, "-o", out]
    for name, texts in _changed(recipe).items():
        for text in texts:
            parts += [f"--{name.replace('_', '-')}", *([] if text == "true" else [text])]
    return shlex.join(parts)


def python_call(recipe: Recipe, photo: str, out: str) -> str:
    """Return the Python code that paints the same picture."""
    values = recipe.to_dict()
    defaults = Recipe().to_dict()
    renamed = {"subject_style": "subject", "background_style": "background"}
    given = [f"{renamed.get(name, name)}={values[name]!r}" for name in values if values[name] != defaults[name]]
    arguments = "".join(f"\n    {each}," for each in [repr(photo), *given])
    return f"import pochoir\n\nresult = pochoir.stylize({arguments}\n)\nresult.save({out!r})"


def find_field(error: PochoirError, names: Mapping[str, Any]) -> str | None:
    """Return the setting that an error's text begins with, for the message beside its control."""
    match = re.match(r"(?:--)?([a-z][a-z_-]*)\b", str(error))
    name = match[1].replace("-", "_") if match else ""
    return name if name in names else None


def _changed(recipe: Recipe) -> dict[str, list[str]]:
    """Return the settings that differ from the defaults, as texts of the command line."""
    plain, defaults = recipe.to_dict(), Recipe().to_dict()
    repeated = {*REGION_FIELDS.values(), *(f"{field}_mask" for field in REGION_FIELDS.values())}
    return {
        name: list(plain[name]) if name in repeated else [format_setting(getattr(recipe, name))]
        for name in plain
        if plain[name] != defaults[name]
    }


def _is_word(name: str, value: Any) -> bool:
    if name == "init":
        return value in INITS
    return value in BACKDROPS or (isinstance(value, str) and value.startswith("#"))
