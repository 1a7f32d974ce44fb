"""Base of all models: frozen, copied with validation, and with errors in pochoir's own words."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, NoReturn, Self, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, model_validator
from pydantic.fields import FieldInfo

from pochoir.errors import InputError, OptionError, UnknownNameError

_MAX_SHOWN = 100
"""Length of a quoted wrong value, in characters."""
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_type": "a number",
    "int_type": "a whole number",
    "literal_error": "a name",
    "int_from_float": "a whole number",
    "model_type": "a table",
    "string_type": "a text",
    "tuple_type": "a list",
}
"""Names of types by the kind of pydantic's error."""


class FrozenModel(BaseModel):
    """Immutable value whose fields are checked when it is made.

    Raises:
        OptionError: A value has another type, or is out of bounds.
        UnknownNameError: A name is not among the allowed ones, or there is no such field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)

    field_noun: ClassVar[str] = "field"
    """Word for a field in errors."""
    value_nouns: ClassVar[Mapping[str, str]] = {}
    """Words for values in errors, by field; a field that is not here has its own name."""

    @model_validator(mode="wrap")
    @classmethod
    def _explain_errors(cls, values: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        try:
            made: Self = handler(values)
        except ValidationError as error:
            raise explain(cls, error) from None
        return made

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed; it is checked like a new one."""
        return type(self).model_validate({name: getattr(self, name) for name in type(self).model_fields} | changes)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Yield the fields that differ from their defaults, for ``repr``."""
        fields = type(self).model_fields
        yield from ((name, getattr(self, name)) for name in fields if getattr(self, name) != fields[name].default)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"A {type(self).__name__} cannot be changed; make another with replace({name}=...).")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"A {type(self).__name__} cannot be changed.")


def explain(model: type[FrozenModel], error: ValidationError, *, within: tuple[str, ...] = ()) -> InputError:
    """Return the error of pochoir that says in one line what pydantic found first.

    Args:
        model: Model that was to be made.
        error: Error of pydantic.
        within: Name of the field where one field was read alone.
    """
    first = error.errors(include_url=False, include_context=False)[0]
    kind, place, value = first["type"], (*within, *first["loc"]), first["input"]
    name = str(place[0]) if place else ""
    if kind in ("extra_forbidden", "invalid_key"):
        return UnknownNameError(model.field_noun, str(place[-1]), model.model_fields)
    if kind == "missing":
        return OptionError(f"A {model.__name__} needs {name}.")
    if name not in model.model_fields:
        return OptionError(f"A {model.__name__} is a table of its fields; got {_quote(value)}.")
    field = model.model_fields[name]
    choices = choices_of(field)
    if kind == "literal_error" and choices is not None and isinstance(value, str):
        return UnknownNameError(model.value_nouns.get(name, name.replace("_", " ")), value, choices)
    low, high = bounds_of(field)
    is_too_large = kind == "float_type" and isinstance(value, int) and not isinstance(value, bool)
    if low is not None and high is not None and (is_too_large or kind not in _EXPECTED):
        return OptionError(f"{name} must be between {low:.10g} and {high:.10g}; got {_quote(value)}.")
    subject = name if len(place) == 1 else f"Each of {name}"
    return OptionError(f"{subject} must be {_EXPECTED.get(kind, 'of another form')}; got {_quote(value)}.")


def choices_of(field: FieldInfo) -> tuple[str, ...] | None:
    """Return the allowed names of a field; None where it is open."""
    for option in (field.annotation, *get_args(field.annotation)):
        if get_origin(option) is Literal:
            return tuple(map(str, get_args(option)))
    return None


def bounds_of(field: FieldInfo) -> tuple[Any, Any]:
    """Return the smallest and largest allowed value of a field; None where there is none."""
    low = next((rule.ge for rule in field.metadata if isinstance(rule, Ge)), None)
    high = next((rule.le for rule in field.metadata if isinstance(rule, Le)), None)
    return low, high


def to_plain(model: FrozenModel) -> dict[str, Any]:
    """Return a model as values that JSON knows."""
    return model.model_dump(mode="json")


def as_mapping(values: Any, what: str) -> Mapping[str, Any]:
    """Return ``values`` if it is a table; raise ``OptionError`` otherwise."""
    if not isinstance(values, Mapping):
        raise OptionError(f"{what} must be a table; got {_quote(values)}.")
    return values


def _quote(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."
