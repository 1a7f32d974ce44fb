"""OpenRaster files, read again by a strict reader of the specification."""

import io
import struct
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

import pochoir
from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import tiny_encoder
from pochoir.errors import InputError, OutputPathError, ShapeError
from pochoir.imaging import Layer
from pochoir.recipe import Record


class StrictReader:
    """Layers of an OpenRaster file; whatever departs from the specification (0.0.5) fails."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        # The first entry is stored, so that its name and contents stand at fixed places.
        assert data[:4] == b"PK\3\4"
        flags, method = struct.unpack_from("<HH", data, 6)
        assert method == 0
        assert not flags & 8
        assert data[30:38] == b"mimetype"
        assert data[38:54] == b"image/openraster"
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            self.names = archive.namelist()
            self.entries = {name: archive.read(name) for name in self.names}
        assert len(set(self.names)) == len(self.names)
        self.root = ElementTree.fromstring(self.entries["stack.xml"])  # noqa: S314 - written by the test
        assert self.root.tag == "image"
        assert self.root.get("version") == "0.0.5"
        self.size = (int(self.root.get("h")), int(self.root.get("w")))
        (stack,) = self.root
        assert stack.tag == "stack"
        self.layers = list(stack)
        for layer in self.layers:
            assert layer.tag == "layer"
            assert layer.get("src").startswith("data/")
            assert self.picture(layer.get("src")).mode == "RGBA"
            assert 0 <= float(layer.get("opacity")) <= 1
            assert layer.get("visibility") in ("visible", "hidden")
            assert layer.get("composite-op") == "svg:src-over"
            int(layer.get("x")), int(layer.get("y"))
        assert self.picture("mergedimage.png").size == self.size[::-1]
        thumbnail = self.picture("Thumbnails/thumbnail.png")
        assert max(thumbnail.size) <= 256

    def picture(self, name: str) -> Image.Image:
        image = Image.open(io.BytesIO(self.entries[name]))
        assert image.format == "PNG"
        image.load()
        return image

    def merge(self) -> np.ndarray:
        """Merge the visible layers by Pillow, independently of the writer."""
        canvas = Image.new("RGBA", self.size[::-1])
        for layer in reversed(self.layers):
            if layer.get("visibility") == "hidden":
                continue
            image = self.picture(layer.get("src"))
            alpha = np.asarray(image.getchannel("A")) * float(layer.get("opacity"))
            image.putalpha(Image.fromarray(alpha.astype(np.uint8)))
            placed = Image.new("RGBA", canvas.size)
            placed.paste(image, (int(layer.get("x")), int(layer.get("y"))))
            canvas = Image.alpha_composite(canvas, placed)
        return np.asarray(canvas)


@pytest.fixture
def layers() -> list[Layer]:
    generator = torch.Generator().manual_seed(0)
    cut = torch.rand(1, 4, 10, 12, generator=generator)
    return [
        Layer("Ärmel <&>", cut, left=5, top=-3),
        Layer("hidden", torch.zeros(1, 3, 24, 30), is_visible=False),
        Layer("half", torch.rand(1, 3, 8, 8, generator=generator), left=25, top=20, opacity=0.5),
        Layer("ground", torch.rand(1, 3, 24, 30, generator=generator)),
    ]


def test_strict_reader_reads_it(tmp_path: Path, layers: list[Layer]) -> None:
    imaging.save_layers(tmp_path / "a.ora", layers)
    read = StrictReader(tmp_path / "a.ora")
    assert read.size == (24, 30)
    assert [layer.get("name") for layer in read.layers] == ["Ärmel <&>", "hidden", "half", "ground"]
    assert [layer.get("visibility") for layer in read.layers] == ["visible", "hidden", "visible", "visible"]
    assert (read.layers[0].get("x"), read.layers[0].get("y")) == ("5", "-3")
    top = np.asarray(read.picture(read.layers[0].get("src")))
    expected = (layers[0].picture[0].permute(1, 2, 0) * 255 + 0.5).to(torch.uint8).numpy()
    assert np.array_equal(top, expected)


def test_merged_picture_is_what_the_layers_make(tmp_path: Path, layers: list[Layer]) -> None:
    imaging.save_layers(tmp_path / "a.ora", layers)
    read = StrictReader(tmp_path / "a.ora")
    merged = np.asarray(read.picture("mergedimage.png").convert("RGBA")).astype(int)
    assert np.abs(merged - read.merge().astype(int)).max() <= 2


def test_layers_off_the_picture_and_its_size(tmp_path: Path, layers: list[Layer]) -> None:
    far = Layer("far", torch.ones(1, 3, 4, 4), left=500, top=-90)
    imaging.save_layers(tmp_path / "a.ora", [far, *layers], size=Size(40, 20))
    read = StrictReader(tmp_path / "a.ora")
    assert read.size == (40, 20)
    assert np.asarray(read.picture("mergedimage.png"))[30, 10, 3] == 0


def test_same_layers_same_bytes(tmp_path: Path, layers: list[Layer]) -> None:
    for name in ("a", "b"):
        imaging.save_layers(tmp_path / f"{name}.ora", layers, record="{}")
    assert (tmp_path / "a.ora").read_bytes() == (tmp_path / "b.ora").read_bytes()


def test_record_and_integrity(tmp_path: Path, layers: list[Layer]) -> None:
    path = tmp_path / "a.ora"
    imaging.save_layers(path, layers, record='{"a": 1}', origin="painted")
    assert imaging.read_record(path) == '{"a": 1}'
    assert b"DigitalSourceType" in StrictReader(path).entries["mergedimage.png"]
    assert [item.name for item in tmp_path.iterdir()] == ["a.ora"]
    assert imaging.is_intact(path)
    data = path.read_bytes()
    path.write_bytes(data[:-40])
    assert not imaging.is_intact(path)
    with pytest.raises(InputError, match="Cannot read the recipe"):
        imaging.read_record(path)


def test_no_record(tmp_path: Path, layers: list[Layer]) -> None:
    imaging.save_layers(tmp_path / "a.ora", layers)
    with pytest.raises(InputError, match="holds no recipe"):
        imaging.read_record(tmp_path / "a.ora")


class TestRefusals:
    def test_other_extension(self, tmp_path: Path, layers: list[Layer]) -> None:
        with pytest.raises(OutputPathError, match=r"Layers are written to \.ora files"):
            imaging.save_layers(tmp_path / "a.png", layers)

    def test_single_picture(self, tmp_path: Path) -> None:
        with pytest.raises(OutputPathError, match="holds layers"):
            imaging.save(tmp_path / "a.ora", torch.zeros(1, 3, 4, 4))

    def test_no_layer(self, tmp_path: Path) -> None:
        with pytest.raises(ShapeError, match="at least one layer"):
            imaging.save_layers(tmp_path / "a.ora", [])

    @pytest.mark.parametrize("shape", [(1, 2, 4, 4), (3, 4, 4), (2, 4, 4, 4)])
    def test_no_picture(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        with pytest.raises(ShapeError, match="has the shape"):
            imaging.save_layers(tmp_path / "a.ora", [Layer("x", torch.zeros(shape))])

    def test_opacity(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="opacity of the layer 'x' is between 0 and 1; got 2"):
            imaging.save_layers(tmp_path / "a.ora", [Layer("x", torch.zeros(1, 3, 4, 4), opacity=2)])
        assert list(tmp_path.iterdir()) == []


class TestPainting:
    @pytest.fixture
    def photo(self) -> np.ndarray:
        y, x = np.mgrid[0:40, 0:48]
        return np.stack([x * 5, y * 6, (x + y) * 2], axis=-1).astype(np.uint8)

    def test_layers_of_a_painting(self, tmp_path: Path, photo: np.ndarray) -> None:
        y, x = np.mgrid[0:40, 0:48]
        mask = (y - 20) ** 2 + (x - 24) ** 2 < 120
        result = pochoir.stylize(photo, subject_style="marbling", mask=mask, encoder=tiny_encoder(), steps=2, threads=1)
        result.save(tmp_path / "a.ora")
        read = StrictReader(tmp_path / "a.ora")
        assert [layer.get("name") for layer in read.layers] == ["matte", "subject", "background", "photo"]
        bottom = np.asarray(read.picture(read.layers[-1].get("src")))[..., :3]
        assert np.array_equal(bottom, photo)
        merged = np.asarray(read.picture("mergedimage.png").convert("RGB")).astype(int)
        composite = (result.composite[0].permute(1, 2, 0) * 255).round().numpy()
        assert np.abs(merged - composite).mean() < 1
        assert Record.from_json(imaging.read_record(tmp_path / "a.ora")) == result.provenance

    def test_whole_picture_and_transparent_ground(self, tmp_path: Path, photo: np.ndarray) -> None:
        settings = {"encoder": tiny_encoder(), "steps": 2, "threads": 1}
        pochoir.stylize(photo, style="marbling", **settings).save(tmp_path / "a.ora")
        assert [layer.get("name") for layer in StrictReader(tmp_path / "a.ora").layers] == ["painting", "photo"]
        mask = np.zeros((40, 48), bool)
        mask[10:30, 10:30] = True
        cut = pochoir.stylize(photo, subject_style="marbling", backdrop="transparent", mask=mask, **settings)
        cut.save(tmp_path / "b.ora")
        names = [layer.get("name") for layer in StrictReader(tmp_path / "b.ora").layers]
        assert names == ["matte", "subject", "photo"]
