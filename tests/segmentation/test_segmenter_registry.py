import pytest
import torch

from pochoir import weights
from pochoir._types import Box
from pochoir.errors import WeightsMissingError
from pochoir.recipe import SEGMENTERS, SegmentSettings
from pochoir.segmentation import create_segmenter
from pochoir.segmentation.registry import SEGMENTER_BUILDERS
from pochoir.segmentation.u2net import U2NET_TINY, predictor


@pytest.fixture
def no_weights(monkeypatch):
    def where(name):
        raise WeightsMissingError(f"Weights {name!r} are missing.")

    monkeypatch.setattr(weights, "where", where)


@pytest.fixture
def tiny_weights(tiny, write_onnx, monkeypatch):
    """Weights of a tiny network under the names of the real ones; asked collects the names that were looked up."""
    path = write_onnx(tiny)
    asked = []

    def where(name):
        asked.append(name)
        return path

    monkeypatch.setattr(weights, "where", where)
    for name in predictor.CONFIGS:
        monkeypatch.setitem(predictor.CONFIGS, name, U2NET_TINY)
    return asked


def test_builders_are_those_of_the_recipe():
    assert tuple(SEGMENTER_BUILDERS) == SEGMENTERS


@pytest.mark.parametrize("name", ["u2net", "u2netp"])
def test_networks_take_the_weights_of_their_name(tiny_weights, name):
    segmenter = create_segmenter(SegmentSettings(segmenter=name))
    found = segmenter.segment(torch.rand(1, 3, 30, 40))
    assert tiny_weights == [name]
    assert segmenter.name == found.method == name
    assert found.matte.shape == (1, 1, 30, 40)


@pytest.mark.parametrize("name", ["u2net", "u2netp"])
def test_networks_without_weights_are_refused_at_once(no_weights, name):
    with pytest.raises(WeightsMissingError, match=f"'{name}' are missing"):
        create_segmenter(SegmentSettings(segmenter=name))


def test_grabcut_with_a_box_needs_no_weights(no_weights):
    segmenter = create_segmenter(SegmentSettings(segmenter="grabcut", box=Box(4, 4, 20, 20)))
    found = segmenter.segment(torch.rand(1, 3, 30, 40))
    assert found.box == Box(4, 4, 20, 20)
    assert not any("middle" in note for note in found.notes)


def test_grabcut_without_box_and_weights_starts_from_the_middle(no_weights):
    found = create_segmenter(SegmentSettings(segmenter="grabcut")).segment(torch.rand(1, 3, 30, 40))
    assert found.box == Box(4, 3, 32, 24)
    assert "no network's weights are there" in found.notes[0]


def test_grabcut_finds_its_box_with_the_better_network(tiny_weights):
    found = create_segmenter(SegmentSettings(segmenter="grabcut")).segment(torch.rand(1, 3, 30, 40))
    assert tiny_weights == ["u2net"]
    assert "u2net" in found.notes[0]


def test_grabcut_takes_the_other_network_when_one_is_missing(tiny_weights, monkeypatch):
    present = weights.where

    def where(name):
        if name == "u2net":
            raise WeightsMissingError("Weights 'u2net' are missing.")
        return present(name)

    monkeypatch.setattr(weights, "where", where)
    found = create_segmenter(SegmentSettings(segmenter="grabcut")).segment(torch.rand(1, 3, 30, 40))
    assert "u2netp" in found.notes[0]


def test_grabcut_gets_its_iterations(no_weights):
    segmenter = create_segmenter(SegmentSettings(segmenter="grabcut", box=Box(1, 1, 5, 5), grabcut_iterations=9))
    assert segmenter._iterations == 9
