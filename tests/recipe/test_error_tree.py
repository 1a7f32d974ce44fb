import inspect
import pickle

import pytest

from pochoir import errors
from pochoir.errors import InputError, PochoirError, UnknownNameError, WeightsError

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


def test_the_tree_in_the_docstring_is_the_tree():
    names: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        stem = line.lstrip("│├└─ ")
        if stem.split(" ")[0].endswith("Error"):
            names.append((len(line) - len(stem), stem.split(" ")[0]))
    assert {name for _, name in names} == {cls.__name__ for cls in CLASSES}
    parents: dict[int, str] = {}
    for indent, name in names:
        parents = {depth: parent for depth, parent in parents.items() if depth < indent}
        expected = parents[max(parents)] if parents else "Exception"
        assert getattr(errors, name).__base__.__name__ == expected, name
        parents[indent] = name


def test_one_class_catches_them_all():
    assert all(issubclass(cls, PochoirError) for cls in CLASSES)
    assert not issubclass(WeightsError, InputError)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("mozaic", "Unknown style 'mozaic'. Did you mean 'mosaic'? Allowed: mosaic, ink, marble."),
        ("zzz", "Unknown style 'zzz'. Allowed: ink, mosaic, marble."),
        ("", "Unknown style ''. Allowed: ink, mosaic, marble."),
    ],
)
def test_unknown_names_list_what_there_is(given, message):
    error = UnknownNameError("style", given, ("ink", "mosaic", "marble"))
    assert str(error) == message
    assert (error.kind, error.given) == ("style", given)
    assert set(error.allowed) == {"ink", "mosaic", "marble"}


def test_a_hint_comes_last():
    assert str(UnknownNameError("style", "x", iter(["a"]), "List them with: pochoir styles")).endswith(
        "Allowed: a. List them with: pochoir styles"
    )


def test_of_many_names_the_nearest_are_listed():
    names = [f"style-{index}" for index in range(40)]
    error = UnknownNameError("style", "style-39x", names)
    assert str(error).startswith("Unknown style 'style-39x'. Did you mean 'style-39'? Allowed: style-39, ")
    assert str(error).endswith(" and 24 more.")
    assert str(error).count("style-") == 2 + 16
    assert set(error.allowed) == set(names)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301
