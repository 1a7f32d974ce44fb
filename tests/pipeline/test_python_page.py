"""The examples of docs/python.md run as they are typed, but for sizes and steps."""

import re
from pathlib import Path

import pytest
from PIL import Image

from pochoir import loading
from pochoir.encoders import tiny_encoder

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
SMALLER = ((r"size=\d+", "size=48, steps=2"), (r'keep_points="320,240"', 'keep_points="32,24"'))


@pytest.mark.weights
def test_every_example_runs(tmp_path, monkeypatch, photo_file):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loading, "load_encoder", lambda *_args, **_kwargs: tiny_encoder())
    monkeypatch.setattr(Image.Image, "show", lambda _image: None)
    with Image.open(photo_file) as photo:
        photo.save("photo.jpg")
        (tmp_path / "photos").mkdir()
        photo.save("photos/one.jpg")
    assert len(BLOCKS) == 4
    names: dict[str, object] = {"print": lambda *_: None}
    for block in BLOCKS:
        for pattern, smaller in SMALLER:
            block = re.sub(pattern, smaller, block)
        exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102
    for name in ("two.png", "cutout.png", "one-mosaic.png", "mosaic.png"):
        assert (tmp_path / name).is_file()
    assert not (tmp_path / "photo.partial").exists()
