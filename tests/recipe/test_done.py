"""Finished work is known by its key, its record and its last byte."""

from pathlib import Path

import pytest
import torch

from pochoir import imaging
from pochoir.done import is_done
from pochoir.recipe import Environment, Form, InputFile, Recipe, Record, Request

RECORD = Record(
    request=Request(
        recipe=Recipe(style="mosaic", time="30s"),
        inputs=(InputFile(role="photo", name="p.jpg", path="p.jpg", sha256="ab"),),
    ),
    environment=Environment(torch="2", device="cpu", threads=1),
    done=(3, 2),
)


def save(path: Path, record: str | None) -> None:
    imaging.save(path, torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)), record=record)


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "tif"])
def test_done_is_whole_and_holds_the_key(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    assert not is_done(path, RECORD.key)
    save(path, RECORD.to_json())
    assert is_done(path, RECORD.key)
    assert is_done(str(path), RECORD.replace(done=(1, 1)).key)
    assert not is_done(path, RECORD.key[::-1])
    path.write_bytes(path.read_bytes()[:-1])
    assert not is_done(path, RECORD.key)


def test_another_machine_does_not_make_it_unfinished(tmp_path: Path) -> None:
    """The engine and the number of threads are known only after the first step."""
    path = tmp_path / "a.png"
    painted = RECORD.environment.replace(engine="kernels", threads=8, device="cuda", torch="3")
    save(path, RECORD.replace(environment=painted).to_json())
    assert is_done(path, RECORD.key)


def test_other_work_is_not_done(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    save(path, RECORD.to_json())
    others = [
        RECORD.request.replace(recipe=Recipe(style="mosaic", time="31s")),
        RECORD.request.replace(recipe=RECORD.recipe),
        RECORD.request.replace(inputs=()),
        RECORD.request.replace(form=Form()),
    ]
    for request in others:
        assert not is_done(path, RECORD.replace(request=request).key)


@pytest.mark.parametrize("record", [None, "", "{}", "text", '{"pochoir":"1","recipe":{"steps":0}}'])
def test_a_foreign_picture_is_not_done(tmp_path: Path, record: str | None) -> None:
    for name in ("a.png", "a.jpg"):
        save(tmp_path / name, record)
        assert not is_done(tmp_path / name, RECORD.key)


def test_no_picture_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("text")
    for name in ("a.png", "b.png", "c.jpg", "d", ""):
        assert not is_done(tmp_path / name, RECORD.key)
