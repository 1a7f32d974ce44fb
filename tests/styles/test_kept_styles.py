"""Drawings of built-in styles are kept from one run to the next."""

import numpy as np
import pytest

from pochoir import sources, styles
from pochoir._types import Size
from pochoir.styles import kept

SIZE = Size(24, 32)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("POCHOIR_HOME", str(tmp_path))
    return tmp_path / "styles"


@pytest.fixture
def drawn(monkeypatch):
    """Names of the styles that were drawn anew."""
    names: list[str] = []

    def draw(name, **given):
        names.append(name)
        return styles.draw(name, **given)

    monkeypatch.setattr(kept, "draw", draw)
    return names


def test_a_style_is_drawn_once_and_keeps_its_bytes(drawn):
    first, second = (kept.draw_once("marbling", size=SIZE) for _ in range(2))
    assert drawn == ["marbling"]
    assert np.array_equal(first, styles.draw("marbling", size=SIZE))
    assert np.array_equal(first, second)
    assert second.dtype == np.uint8


@pytest.mark.parametrize("damage", ["cut", "flipped", "another size"])
def test_a_damaged_file_is_drawn_anew_and_replaced(damage, drawn, folder):
    right = kept.draw_once("marbling", size=SIZE)
    (path,) = folder.iterdir()
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        data[len(data) // 2] ^= 255
        path.write_bytes(data)
    else:
        np.savez_compressed(path, picture=right[:-1])
    for _ in range(2):
        assert np.array_equal(kept.draw_once("marbling", size=SIZE), right)
    assert drawn == ["marbling"] * 2


def test_another_version_of_the_drawing_code_does_not_take_it(drawn, monkeypatch):
    kept.draw_once("marbling", size=SIZE)
    monkeypatch.setattr(np, "__version__", "0.0")
    kept.draw_once("marbling", size=SIZE)
    assert drawn == ["marbling"] * 2


def test_a_folder_that_cannot_be_written_costs_only_time(drawn, folder):
    folder.write_text("a file where the folder belongs")
    for _ in range(2):
        assert kept.draw_once("marbling", size=SIZE).shape == (*SIZE, 3)
    assert drawn == ["marbling"] * 2


@pytest.fixture
def empty_cache():
    sources._load_newest.cache_clear()
    yield
    sources._load_newest.cache_clear()  # other tests must not see the drawing of this one


def test_a_run_reads_its_built_in_style_once(monkeypatch, empty_cache):
    read = []

    def count(name, *, size):
        read.append(name)
        return np.zeros((*size, 3), np.uint8)

    monkeypatch.setattr(sources, "draw_once", count)
    assert sources.load_style("hatching") is sources.load_style("hatching")
    assert read == ["hatching"]
