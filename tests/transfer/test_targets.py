"""Gram targets of styles, kept between paintings."""

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from pochoir import kernels
from pochoir.encoders import VGG
from pochoir.transfer import Region, Sample, StyleTargets, iter_paint
from pochoir.transfer import targets as targets_module
from pochoir.transfer.features import FeatureTiles

WHOLE = torch.ones(1, 1, 40, 48)


@pytest.fixture
def measured(monkeypatch) -> list[tuple[int, ...]]:
    """Shapes of the style pictures that are shown to the encoder, one after the other."""
    shapes: list[tuple[int, ...]] = []
    measure = FeatureTiles.measure

    def count(self, picture, grams):
        shapes.append(tuple(picture.shape))
        return measure(self, picture, grams)

    monkeypatch.setattr(FeatureTiles, "measure", count)
    return shapes


def paint(photo, style, encoder, settings, *, key="style", mask=None, targets=None):
    regions = [Region(WHOLE, [Sample(style, 1.0, mask, key)])]
    *_, last = iter_paint(photo, regions, encoder, settings, targets=targets)
    return last.picture()


@pytest.mark.parametrize("masked", [False, True])
def test_a_second_painting_measures_nothing_and_is_equal_to_the_last_bit(
    masked, photo, style, encoder, quick, measured
):
    mask = (torch.arange(44.0) / 44.0).expand(1, 1, 36, 44).clone() if masked else None
    settings = quick(schedule=(2, 2))
    plain = paint(photo, style, encoder, settings, mask=mask)
    assert len(measured) == 2
    targets = StyleTargets()
    for expected in (4, 4):
        assert torch.equal(paint(photo, style, encoder, settings, mask=mask, targets=targets), plain)
        assert len(measured) == expected
    assert len(targets) == 2
    assert targets.bytes > 0


def test_what_they_depend_on_is_measured_anew(photo, style, encoder, quick, measured):
    targets = StyleTargets()
    settings = quick(schedule=(2,))
    paint(photo, style, encoder, settings, targets=targets)
    for other in (
        {"settings": quick(schedule=(2,), style_layers=("relu1_1",))},
        {"settings": quick(schedule=(2,), style_scale=0.7)},
        {"settings": quick(schedule=(2,), memory="256M", size=None)},
        {"key": "another"},
    ):
        before = len(measured)
        paint(photo, style, encoder, **({"settings": settings} | other), targets=targets)
        assert len(measured) == before + 1, other


@pytest.mark.parametrize("color", ["photo", "match"])
def test_a_style_that_is_recolored_for_the_photo_is_not_kept(color, photo, style, encoder, quick):
    targets = StyleTargets()
    settings = quick(schedule=(2,), color=color)
    paint(photo, style, encoder, settings, targets=targets)
    other = photo.flip(1)
    kept = paint(other, style, encoder, settings, targets=targets)
    assert torch.equal(kept, paint(other, style, encoder, settings))
    assert len(targets) == 0


def test_without_a_key_nothing_is_kept(photo, style, encoder, quick, measured):
    targets = StyleTargets()
    for count in (1, 2):
        paint(photo, style, encoder, quick(schedule=(2,)), key="", targets=targets)
        assert len(measured) == count
    assert len(targets) == 0


class TestCache:
    def test_the_least_recently_used_is_dropped(self):
        targets = StyleTargets(most_bytes=2 * 400)
        calls: list[str] = []

        def ask(key: str) -> None:
            targets.find_or_measure(key, lambda: calls.append(key) or {"relu1_1": torch.zeros(1, 10, 10)})

        for key in "abacab":
            ask(key)
        assert calls == ["a", "b", "c", "b"]
        assert (len(targets), targets.bytes) == (2, 800)
        targets.clear()
        assert (len(targets), targets.bytes) == (0, 0)

    def test_threads_that_ask_for_the_same_measure_it_once(self):
        targets = StyleTargets()
        calls: list[int] = []
        barrier = threading.Barrier(4)

        def measure() -> targets_module.Grams:
            calls.append(1)
            return {"relu1_1": torch.ones(1, 2, 2)}

        def ask(_: int) -> torch.Tensor:
            barrier.wait(timeout=60)
            return targets.find_or_measure("style", measure)["relu1_1"]

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(ask, range(4)))
        assert len(calls) == 1
        assert all(matrix is found[0] for matrix in found)

    def test_what_could_not_be_measured_is_tried_again(self):
        targets = StyleTargets()
        with pytest.raises(ZeroDivisionError):
            targets.find_or_measure("style", lambda: {"relu1_1": 1 / 0})
        assert targets.find_or_measure("style", lambda: {"relu1_1": torch.ones(1, 1, 1)})

    def test_its_repr_prints_no_tensors(self):
        targets = StyleTargets()
        targets.find_or_measure("style", lambda: {"relu1_1": torch.ones(1, 512, 512)})
        assert repr(targets) == "StyleTargets(1 kept, 1.0 of 256 MB)"


@pytest.mark.skipif(not kernels.SUPPORTED, reason="without kernels nothing is cut from blocks")
def test_kept_matrices_do_not_keep_the_scratch_space_of_their_sums(monkeypatch):
    from pochoir.kernels import arena

    blocks: list[weakref.ref[object]] = []

    class Block(arena._Block):
        def __init__(self, count):
            super().__init__(count)
            blocks.append(weakref.ref(self.memory.base))  # which all that is cut from it keeps alive

    encoder, targets = VGG(channels=(kernels.COLUMNS,) * 5), StyleTargets()
    with monkeypatch.context() as patched:
        patched.setattr(arena, "_Block", Block)
        style = Sample(torch.rand(1, 3, 64, 80), 1.0, None, "style")
        targets_module.style_grams([style], encoder, ["relu1_1", "relu4_1"], targets=targets)
    assert encoder.engine == "kernels"
    assert len(targets) == 1
    assert len(blocks) > 1
    encoder.release_memory()
    assert all(block() is None for block in blocks)
