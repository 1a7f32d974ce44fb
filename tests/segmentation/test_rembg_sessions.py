"""rembg's networks, with a stand-in for the package."""

import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image

from pochoir.errors import MissingExtraError, OptionError, UnknownNameError, WeightsDownloadError, WeightsMissingError
from pochoir.recipe import SegmentSettings
from pochoir.segmentation import create_segmenter
from pochoir.segmentation.rembg_sessions import MODELS, RembgSegmenter


class Session:
    """Finds the left half."""

    def __init__(self, name):
        self.name = name
        self.seen = []

    def predict(self, picture):
        self.seen.append(picture)
        mask = np.zeros((picture.height, picture.width), np.uint8)
        mask[:, : picture.width // 2] = 204
        return [Image.fromarray(mask)]


@pytest.fixture
def homes(monkeypatch, tmp_path):
    """No folder of rembg's but this one, and it is empty."""
    for name in ("XDG_DATA_HOME", "REMBG_HOME", "POCHOIR_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def rembg(monkeypatch, homes):
    module = types.ModuleType("rembg")
    module.new_session = Session
    monkeypatch.setitem(sys.modules, "rembg", module)
    return module


def write_weights(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"stands for the weights")


def test_its_answer_becomes_a_matte(rembg, homes):
    write_weights(homes / "isnet-general-use.onnx")
    segmenter = create_segmenter(SegmentSettings(segmenter="rembg:isnet-general-use"))
    photo = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    found = segmenter.segment(photo)
    assert found.method == segmenter.name == "rembg:isnet-general-use"
    expected = torch.zeros(1, 1, 20, 30)
    expected[..., :15] = 204 / 255
    torch.testing.assert_close(found.matte, expected)
    assert found.notes == ()
    (seen,) = segmenter._session.seen
    torch.testing.assert_close(
        torch.from_numpy(np.asarray(seen, np.float32) / 255.0).permute(2, 0, 1)[None], photo, rtol=0, atol=0.5 / 255
    )


def test_a_mask_of_another_size_is_brought_to_the_photo_s(rembg, homes, monkeypatch):
    monkeypatch.setattr(Session, "predict", lambda self, picture: [Image.new("L", (8, 4), 255)])
    found = RembgSegmenter("silueta").segment(torch.rand(1, 3, 20, 30))
    assert torch.equal(found.matte, torch.ones(1, 1, 20, 30))


@pytest.mark.parametrize("place", ["u2netp.onnx", "models/u2netp/u2netp.onnx"])
def test_weights_that_are_there_are_used_offline(rembg, homes, monkeypatch, place):
    monkeypatch.setenv("POCHOIR_OFFLINE", "1")
    write_weights(homes / place)
    assert RembgSegmenter("u2netp").segment(torch.rand(1, 3, 8, 8)).notes == ()


def test_nothing_is_fetched_offline(rembg, monkeypatch):
    monkeypatch.setenv("POCHOIR_OFFLINE", "1")
    monkeypatch.setattr(rembg, "new_session", lambda name: pytest.fail("it would be fetched"))
    with pytest.raises(
        WeightsMissingError, match=r"rembg:silueta are not there, and POCHOIR_OFFLINE .* rembg d silueta"
    ):
        RembgSegmenter("silueta")


def test_fetching_is_not_silent(rembg, caplog):
    segmenter = RembgSegmenter("silueta")
    assert "rembg fetches the weights" in caplog.text
    assert any("over the network" in note for note in segmenter.segment(torch.rand(1, 3, 8, 8)).notes)


def test_what_cannot_be_fetched(rembg, monkeypatch):
    def fail(name):
        raise ConnectionError("no route")

    monkeypatch.setattr(rembg, "new_session", fail)
    with pytest.raises(WeightsDownloadError, match="could not fetch the weights of 'silueta': no route"):
        RembgSegmenter("silueta")


def test_weights_that_are_not_free_say_so(rembg, homes):
    write_weights(homes / "bria-rmbg.onnx")
    notes = RembgSegmenter("bria-rmbg").segment(torch.rand(1, 3, 8, 8)).notes
    assert notes == ("rembg:bria-rmbg: its weights (BRIA RMBG-2.0) are for non-commercial use only.",)
    assert [name for name, model in MODELS.items() if not model.is_for_everyone] == ["bria-rmbg"]


@pytest.mark.parametrize("name", ["withoutbg", "atlascloud"])
def test_photos_are_not_sent_away(rembg, name):
    with pytest.raises(UnknownNameError, match=f"Unknown rembg network '{name}'"):
        RembgSegmenter(name)


def test_unknown_names_list_the_nearest_first(rembg):
    with pytest.raises(
        UnknownNameError, match=r"Unknown rembg network 'birefnet-generel'\. Did you mean 'birefnet-general"
    ):
        create_segmenter(SegmentSettings(segmenter="rembg:birefnet-generel"))


def test_an_older_rembg(rembg, monkeypatch):
    def refuse(name):
        raise ValueError("No session class found")

    monkeypatch.setattr(rembg, "new_session", refuse)
    with pytest.raises(OptionError, match="does not know 'silueta'; update it: pip install -U rembg"):
        RembgSegmenter("silueta")


def test_without_the_package_the_extra_is_named(homes, monkeypatch):
    monkeypatch.setitem(sys.modules, "rembg", None)
    with pytest.raises(MissingExtraError, match=r'rembg:silueta needs .* pip install "pochoir\[rembg\]"'):
        RembgSegmenter("silueta")


def test_a_package_that_gives_up_on_import(homes, monkeypatch, tmp_path):
    (tmp_path / "rembg.py").write_text("import sys\nsys.exit(1)\n")
    monkeypatch.delitem(sys.modules, "rembg", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingExtraError, match="with onnxruntime"):
        RembgSegmenter("silueta")
