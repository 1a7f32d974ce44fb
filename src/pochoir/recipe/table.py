"""Table of all settings, for programs that show them: the command line, sweeps, forms."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from pochoir.errors import OptionError, UnknownNameError
from pochoir.recipe.declare import Level
from pochoir.recipe.model import bounds_of, choices_of, explain
from pochoir.recipe.recipe import Recipe

_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_NUMBERS: dict[type, tuple[str, Any]] = {int: ("a whole number", int), float: ("a number", float)}


@dataclass(frozen=True)
class Setting:
    """One field of the recipe.

    Attributes:
        name: Name of the field.
        type: Type of its values, such as ``float``, ``Points`` or ``tuple``.
        default: Value where none is given.
        help: Help text, without a full stop at its end.
        group: One of ``GROUPS``.
        level: ``"basic"``, ``"advanced"`` or ``"experiment"``.
        unit: Unit of its numbers; None where they have none.
        low: Smallest allowed value; None where there is no bound.
        high: Largest allowed value.
        choices: Allowed names; None where it is open.
        is_optional: Whether None is a value.
    """

    name: str
    type: type
    default: Any
    help: str
    group: str
    level: Level
    unit: str | None
    low: float | None
    high: float | None
    choices: tuple[str, ...] | None
    is_optional: bool

    @property
    def label(self) -> str:
        """Name as it is typed, with dashes."""
        return self.name.replace("_", "-")


@functools.cache
def settings_table() -> Mapping[str, Setting]:
    """Return all settings of a recipe by name."""
    return MappingProxyType({name: _describe(name) for name in Recipe.model_fields})


def find_setting(name: str) -> Setting:
    """Return the setting of a name; dashes stand for underscores.

    Raises:
        UnknownNameError: There is no such setting.
    """
    table = settings_table()
    field = name.strip().replace("-", "_")
    if field not in table:
        raise UnknownNameError("setting", name.strip(), (item.label for item in table.values()))
    return table[field]


def parse_setting(name: str, text: str) -> Any:
    """Read the value of one setting from text, as the command line and sweeps do.

    Args:
        name: Name of the field; dashes stand for underscores.
        text: Its value, as ``format_setting`` writes it.

    Raises:
        OptionError: The text has another form, or the value is out of bounds.
        UnknownNameError: There is no such setting, or the value is not among the allowed names.
    """
    item = find_setting(name)
    value: Any = text
    if item.type is bool:
        if text.strip().lower() not in _TRUTH:
            raise UnknownNameError(f"value of {item.label}", text, _TRUTH)
        value = _TRUTH[text.strip().lower()]
    elif item.low is not None:
        expected, convert = _NUMBERS[item.type]
        try:
            value = convert(text)
        except ValueError:
            raise OptionError(f"{item.name} must be {expected}; got {text!r}.") from None
    try:
        return _adapter(item.name).validate_python(value)
    except ValidationError as error:
        raise explain(Recipe, error, within=(item.name,)) from None


def format_setting(value: Any) -> str:
    """Return the value of a setting as text that ``parse_setting`` reads."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple) and type(value) is tuple:
        return ",".join(map(str, value))
    return repr(value).removesuffix(".0") if type(value) is float else str(value)


@functools.cache
def _adapter(name: str) -> TypeAdapter[Any]:
    field = Recipe.model_fields[name]
    # The description does nothing but make sure that there is an annotation to give.
    annotation: Any = Annotated[field.annotation, *field.metadata, field.description]
    return TypeAdapter(annotation)


def _describe(name: str) -> Setting:
    field = Recipe.model_fields[name]
    extra = field.json_schema_extra
    assert isinstance(extra, dict)  # noqa: S101  # every field is declared by ``setting``
    low, high = bounds_of(field)
    options = get_args(field.annotation)
    return Setting(
        name=name,
        type=_type_of(field.default, field.annotation),
        default=field.default,
        help=str(field.description),
        group=str(extra["group"]),
        level=extra["level"],  # type: ignore[arg-type]  # one of Level, by ``setting``
        unit=None if "unit" not in extra else str(extra["unit"]),
        low=low,
        high=high,
        choices=choices_of(field),
        is_optional=NoneType in options,
    )


def _type_of(default: Any, annotation: Any) -> type:
    """Return the plain type of a field: that of its default, or the first one that its annotation allows."""
    if default is not None:
        return type(default)
    while get_args(annotation):
        if get_origin(annotation) is Literal:
            return str
        if get_origin(annotation) is tuple:
            return tuple
        annotation = get_args(annotation)[0]
    return annotation if isinstance(annotation, type) else str
