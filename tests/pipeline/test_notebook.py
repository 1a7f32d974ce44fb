"""What a notebook shows, and pictures made again in Python."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from PIL import Image

import pochoir
from pochoir import loading
from pochoir.errors import InputError


class Cell:
    """The output of a notebook's cell."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def __call__(self, first: SimpleNamespace, *, display_id: bool) -> "Cell":
        assert display_id
        self.update(first)
        return self

    def update(self, value: SimpleNamespace) -> None:
        self.shown.append(value.data)


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """A notebook around this test."""
    made = Cell()
    shell, display = ModuleType("IPython"), ModuleType("IPython.display")
    shell.get_ipython = lambda: SimpleNamespace(kernel=object())
    display.display, display.HTML = made, lambda text: SimpleNamespace(data=text)
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return made


def test_a_notebook_shows_the_bar_and_the_picture_so_far(cell, photo_file, style_file, quick):
    result = pochoir.show_progress(pochoir.iter_stylize(photo_file, style=style_file, **quick), preview_s=1e-9)
    assert isinstance(result, pochoir.Result)
    first, *steps, last = cell.shown
    assert "reading the pictures" in first
    assert len(steps) == 3
    assert 'value="3" max="3"' in steps[-1]
    assert all("data:image/png;base64," in text for text in steps)
    assert last == ""


def test_a_stopped_painting_is_kept(cell, photo_file, style_file, quick, monkeypatch):
    update = cell.update

    def interrupt(value: SimpleNamespace) -> None:
        update(value)
        if "step 2" in value.data:
            raise KeyboardInterrupt

    monkeypatch.setattr(cell, "update", interrupt)
    painting = pochoir.iter_stylize(photo_file, style=style_file, **quick)
    result = pochoir.show_progress(painting)
    assert painting.last_step.done == 2
    assert torch.isfinite(result.composite).all()


def test_without_a_notebook_or_a_terminal_nothing_is_written(photo_file, style_file, quick, capfd):
    pochoir.show_progress(pochoir.iter_stylize(photo_file, style=style_file, **quick))
    assert capfd.readouterr() == ("", "")


def test_a_picture_is_made_again_in_python(photo_file, style_file, tmp_path, monkeypatch, encoder):
    monkeypatch.setattr(loading, "load_encoder", lambda *_args, **_kwargs: encoder)
    made, again = tmp_path / "made.png", tmp_path / "again.png"
    pochoir.stylize(photo_file, style=style_file, steps=2, threads=1).save(made)
    pochoir.redo(made).save(again)
    assert made.read_bytes() == again.read_bytes()


def test_what_cannot_be_made_again_is_refused(photo_file, style_file, tmp_path, quick):
    own = tmp_path / "own.png"
    pochoir.stylize(photo_file, style=style_file, **quick).save(own)
    with pytest.raises(InputError, match="an object of the user's own"):
        pochoir.redo(own)
    plain = tmp_path / "plain.png"
    Image.new("RGB", (8, 8)).save(plain)
    with pytest.raises(pochoir.PochoirError):
        pochoir.redo(plain)


def test_a_clip_is_shown_and_made_again(photo_file: Path, mask_file: Path, tmp_path: Path) -> None:
    made, again = tmp_path / "made.webp", tmp_path / "again.webp"
    clip = pochoir.animate(photo_file, mask=mask_file, motion="nod", duration="0.5s", fps=8, size=64)
    assert repr(clip) == "Clip(64x48, 4 frames, 8 a second, opaque)"
    assert 'src="data:image/webp;base64,UklGR' in clip._repr_html_()
    clip.save(made)
    pochoir.redo(made).save(again)
    assert made.read_bytes() == again.read_bytes()
