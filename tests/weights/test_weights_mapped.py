"""Copies of weights that are mapped into memory."""

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pochoir.errors import WeightsError
from pochoir.weights.mapped import load_mapped, release_pages
from support.memory import resident_bytes


class Reader:
    """Reads a file of one number into a large tensor, and counts how often."""

    def __init__(self, path: Path) -> None:
        self.path, self.times = path, 0

    def __call__(self) -> dict[str, Tensor]:
        self.times += 1
        return {"a": torch.full((300_000,), float(self.path.read_text())), "b": torch.arange(7.0)}


@pytest.fixture
def reader(tmp_path):
    path = tmp_path / "some.bin"
    path.write_text("3.5")
    return Reader(path)


def load(reader, build=dict):
    return load_mapped(reader.path, reader, build)


def test_the_file_is_read_once(reader):
    first, second = load(reader), load(reader)
    assert reader.times == 1
    assert torch.equal(first["a"], second["a"])
    assert torch.equal(second["b"], torch.arange(7.0))
    assert [path.name for path in sorted(reader.path.parent.iterdir())] == ["some.bin", "some.bin.mapped"]


def test_writing_to_a_mapped_tensor_changes_no_file(reader):
    load(reader)["a"].zero_()
    assert float(load(reader)["a"].max()) == 3.5


def test_a_changed_file_is_read_again(reader):
    load(reader)
    reader.path.write_text("4.25")
    assert float(load(reader)["a"].min()) == 4.25
    assert float(load(reader)["a"].min()) == 4.25
    assert reader.times == 2


@pytest.mark.parametrize("damage", [b"", b"no tensors", None])
def test_a_damaged_copy_is_replaced(reader, damage):
    load(reader)
    kept = reader.path.with_name("some.bin.mapped")
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert float(load(reader)["a"].min()) == 3.5
    assert kept.read_bytes() == whole


def test_a_copy_that_does_not_fit_is_replaced_and_a_file_that_does_not_is_told(reader):
    load(reader)
    wanted = {"c"}

    def build(state):
        if set(state) != wanted:
            raise WeightsError("another network")
        return state

    with pytest.raises(WeightsError, match="another network"):
        load(reader, build)
    assert reader.times == 2
    wanted = {"a", "b"}
    assert set(load(reader, build)) == wanted


def test_without_a_copy_where_none_can_be_written(reader):
    reader.path.with_name("some.bin.mapped").mkdir()
    assert float(load(reader)["a"].min()) == 3.5
    assert float(load(reader)["a"].min()) == 3.5
    assert reader.times == 2
    assert len(list(reader.path.parent.iterdir())) == 2  # nothing half-written is left


def test_without_a_copy_where_there_is_no_room_for_one(reader, monkeypatch):
    def save(state, path):
        Path(path).write_bytes(b"half")
        raise RuntimeError("unexpected pos 4 vs 0")  # what torch says then

    monkeypatch.setattr(torch, "save", save)
    assert float(load(reader)["a"].min()) == 3.5
    assert [path.name for path in reader.path.parent.iterdir()] == ["some.bin"]


def test_what_was_let_go_is_there_when_it_is_read_again(reader):
    load(reader)
    state = load(reader)
    assert float(state["a"].sum()) == 3.5 * 300_000
    release_pages(state.values())
    assert float(state["a"].sum()) == 3.5 * 300_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is asked to")
def test_memory_is_given_back(reader):
    load(reader)
    state = load(reader)
    state["a"].sum()
    before, size = resident_bytes("some.bin.mapped")
    release_pages(state.values())
    after, _ = resident_bytes("some.bin.mapped")
    assert before > state["a"].nbytes > size / 2
    assert after < size / 8


def test_what_is_not_mapped_is_left_alone():
    own = torch.full((300_000,), 2.0)
    release_pages([own])
    assert float(own.min()) == 2.0
