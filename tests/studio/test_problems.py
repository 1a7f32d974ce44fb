"""Errors become one line without paths."""

import errno

import pytest
from pydantic import BaseModel, ValidationError

from pochoir.errors import InputError, WriteError
from pochoir.studio.folder import Folder, NotFoundError
from pochoir.studio.models import Corrections, JobOrder
from pochoir.studio.orders import check_corrections
from pochoir.studio.problems import FULL, FieldError, describe, describe_request, find_field, status_of


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/home/me/x"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        WriteError("Cannot write '/home/me/a.png': No space left on device."),
        WriteError("The job store 'x' cannot be used: database or disk is full."),
        "Cannot write 'a.partial': [enforce fail at inline_container.cc] No space left on device",
    ],
)
def test_a_full_disk_has_one_message(tmp_path, error):
    assert describe(error, Folder(tmp_path)) == FULL


def test_paths_are_left_out(tmp_path):
    folder = Folder(tmp_path / "my pictures")
    photo = folder.photos / ("a" * 16) / "file" / "lemon.png"
    assert describe(InputError(f"Cannot read '{photo}': empty."), folder) == "Cannot read 'lemon.png': empty."
    assert describe(f"'{folder.root / 'x.png'}' exists.", folder) == "'x.png' exists."
    assert str(tmp_path) not in describe(PermissionError(errno.EACCES, "Permission denied", str(photo)), folder)


def test_long_values_are_cut(tmp_path):
    text = describe(InputError(f"seed must be small; got {'1' * 5000}."), Folder(tmp_path))
    assert text.startswith("seed must be small")
    assert len(text) <= 400


def test_statuses():
    errors = (NotFoundError(""), InputError(""), WriteError(""), OSError(), RuntimeError())
    assert [status_of(error) for error in errors] == [404, 422, 507, 507, 500]


def test_fields_are_found_in_messages():
    assert find_field("style-scale must be between 0.1 and 4; got 99.", {"style_scale": 1}) == "style_scale"
    assert find_field("There is nothing.", {"style_scale": 1}) is None


def explain(model: type[BaseModel], **values) -> tuple[str, str | None]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    errors = [error | {"loc": ("body", *error["loc"])} for error in caught.value.errors()]
    return describe_request(errors)


@pytest.mark.parametrize(
    ("values", "text", "field"),
    [
        ({"photo": ""}, "photo must be an id: 16 hexadecimal digits; got ''.", "photo"),
        ({"photo": 3}, "photo must be a valid string; got 3.", "photo"),
        ({}, "photo is missing.", "photo"),
        ({"photo": "a" * 16, "variations": ""}, "variations must be", "variations"),
        ({"photo": "a" * 16, "settings": ""}, "settings must be a valid dictionary; got ''.", "settings"),
        ({"photo": "a" * 16, "looks": {"whole": [{"id": ""}]}}, "looks.whole.0.id must be an id", "id"),
        ({"photo": "a" * 16, "colour": 1}, "colour is not a field of this request.", None),
    ],
)
def test_requests_of_the_wrong_shape(values, text, field):
    found = explain(JobOrder, **values)
    assert found[0].startswith(text)
    assert found[1] == field


@pytest.mark.parametrize(
    ("values", "field"),
    [({"subject": ""}, "subject"), ({"box": (1, 2, 0, 4)}, "box"), ({"keep_points": [(10**12, 4)]}, "keep_points")],
)
def test_corrections_that_are_wrong_by_themselves(values, field):
    with pytest.raises(FieldError) as caught:
        check_corrections(Corrections(**values))
    assert caught.value.field == field


def test_corrections_that_are_right():
    check_corrections(Corrections(keep_points=[(3, 4), (5, 6)], box=(1, 2, 3, 4), subject="2"))
