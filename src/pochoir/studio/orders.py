"""From looks and settings of the page to jobs, and from records back to looks and settings."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pochoir.errors import OptionError, PochoirError
from pochoir.recipe import BACKDROPS, INITS, Recipe, Record, StyleRef, format_setting, settings_table
from pochoir.studio.models import Corrections, Look, LooksOf, Order
from pochoir.studio.problems import FieldError

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


def settings_schema() -> dict[str, Any]:
    """Return the JSON schema of each setting that the page offers, basic ones first."""
    table = settings_table()
    properties = Recipe.model_json_schema()["properties"]
    names = [name for name, item in table.items() if item.level != "experiment" and name not in HIDDEN_SETTINGS]
    names.sort(key=lambda name: table[name].level != "basic")
    return {name: properties[name] for name in names}


def build_recipe(
    order: Order, find_style: Callable[[str], str], mask: Path | None, *, needs_look: bool = True
) -> Recipe:
    """Return the recipe of an order.

    Args:
        order: Looks and settings.
        find_style: Returns the path or the built-in name of a style's id.
        mask: The photo's mask; it is used where subject and background are told apart.
        needs_look: Refuse an order without a look.

    Raises:
        InputError: A setting is unknown, out of bounds, or names a file.
    """
    for name, value in order.settings.items():
        _check_setting(name, value)
    values: dict[str, Any] = {name: value for name, value in order.settings.items() if value is not None}
    for region, field in REGION_FIELDS.items():
        looks: list[Look] = getattr(order.looks, region)
        if looks:
            values[field] = [StyleRef(find_style(look.id), look.weight) for look in looks]
    if needs_look and not any(field in values for field in REGION_FIELDS.values()):
        raise OptionError("Choose a look first: for the whole picture, the subject or the background.")
    recipe = _read_recipe(values)
    needs_mask = bool(recipe.subject_style or recipe.background_style or values.get("backdrop", "photo") != "photo")
    return recipe.replace(mask=str(mask)) if needs_mask and mask is not None else recipe


def check_corrections(corrections: Corrections) -> None:
    """Refuse hints for finding the subject that are wrong by themselves.

    Raises:
        FieldError: A hint cannot be used; the error names it.
    """
    values = corrections.model_dump(mode="json", exclude_defaults=True)
    for name, value in values.items():
        points = ";".join(",".join(map(str, point)) for point in value) if name.endswith("_points") else value
        try:
            Recipe.from_dict({name: points})
        except PochoirError as error:
            raise FieldError(name, str(error)) from error


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
    return shlex.join(["pochoir", "stylize", photo, "-o", out, *options_of(recipe)])


def options_of(recipe: Recipe) -> list[str]:
    """Return the options of a command that has a recipe's settings."""
    parts: list[str] = []
    for name, texts in _changed(recipe).items():
        for text in texts:
            label = name.replace("_", "-")
            parts += {"true": [f"--{label}"], "false": [f"--no-{label}"]}.get(text, [f"--{label}", text])
    return parts


def python_call(recipe: Recipe, photo: str, out: str) -> str:
    """Return the Python code that paints the same picture."""
    arguments = "".join(f"\n    {each}," for each in [repr(photo), *python_arguments(recipe)])
    return f"import pochoir\n\nresult = pochoir.stylize({arguments}\n)\nresult.save({out!r})"


def python_arguments(recipe: Recipe) -> list[str]:
    """Return the keyword arguments that give a recipe's settings."""
    values, defaults = recipe.to_dict(), Recipe().to_dict()
    renamed = {"subject_style": "subject", "background_style": "background"}
    return [f"{renamed.get(name, name)}={values[name]!r}" for name in values if values[name] != defaults[name]]


def _check_setting(name: str, value: Any) -> None:
    """Refuse a setting that the page gives in another way, or that names a file."""
    if name in HIDDEN_SETTINGS:
        raise OptionError(f"{name} is not a setting of the page.")
    if name == "backdrop" and value is not None and not _is_word(name, value):
        raise FieldError(name, f"backdrop must be {', '.join(BACKDROPS)} or a color like #ffffff; got {value!r}.")
    if name == "init" and value is not None and not _is_word(name, value):
        raise FieldError(name, f"init must be {' or '.join(INITS)}; got {value!r}.")


def _read_recipe(values: dict[str, Any]) -> Recipe:
    """Read a recipe; an error of one setting alone names that setting."""
    try:
        return Recipe.from_dict(values)
    except PochoirError as error:
        for name, value in values.items():
            if name in Recipe.model_fields and str(error) == _find_error(name, value):
                raise FieldError(name, str(error)) from error
        raise


def _find_error(name: str, value: Any) -> str:
    try:
        Recipe.from_dict({name: value})
    except PochoirError as error:
        return str(error)
    return ""


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
