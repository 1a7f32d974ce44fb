"""U2-Net on compiled kernels against plain torch, which is the reference."""

import copy

import numpy as np
import onnxruntime
import pytest
import skimage.data
import torch

from pochoir import kernels, weights
from pochoir.recipe import SegmentSettings
from pochoir.segmentation import create_segmenter
from pochoir.segmentation.u2net import U2NetSegmenter, blocks
from pochoir.segmentation.u2net.preprocessing import CONVENTIONS, normalize
from support.close import assert_close

pytestmark = pytest.mark.skipif(not kernels.SUPPORTED, reason="this CPU has no AVX2")


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(4))


def compiled_version(wide):
    from pochoir.segmentation.u2net.compiled import use_kernels

    fast = copy.deepcopy(wide).to(memory_format=torch.channels_last)
    use_kernels(fast)
    return fast


def count_compiled(segmenter):
    return sum(getattr(module, "compiled", None) is not None for module in segmenter._network.modules())


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("size", [(64, 64), (33, 47), (7, 90), (1, 1)])
def test_maps_agree_with_torch(wide, size, count, threads, monkeypatch):
    monkeypatch.setattr(blocks, "COMPILED_FROM", 1)
    fast, x = compiled_version(wide), noise(count, 3, *size)
    torch.set_num_threads(threads)  # the room's fixture takes it back
    with torch.inference_mode():
        expected, given = wide(x), fast(x.contiguous(memory_format=torch.channels_last))
    for one, other in zip((given.fused, *given.sides), (expected.fused, *expected.sides), strict=True):
        assert_close(one, other, rtol=0, atol=1e-5)
    assert size == (1, 1) or expected.fused.std() > 0.01  # or the comparison would say nothing


def test_small_maps_are_left_to_torch(wide, monkeypatch):
    fast = compiled_version(wide)
    for module in fast.modules():
        if getattr(module, "compiled", None) is not None:
            monkeypatch.setattr(module, "compiled", None, raising=True)
            module.compiled = lambda _: pytest.fail("the kernels were asked")
    with torch.inference_mode():
        fast(noise(2, 3, 10, 12))


def test_a_batch_of_photos_has_the_maps_that_each_has_alone(wide):
    fast, x = compiled_version(wide), noise(2, 3, 64, 48)
    with torch.inference_mode():
        together, alone = fast(x).fused, torch.cat([fast(photo).fused for photo in x.split(1)])
    assert_close(together, alone, rtol=0, atol=1e-6)


def test_maps_are_not_overwritten_by_the_next_photo(wide):
    fast = compiled_version(wide)
    with torch.inference_mode():
        first = fast(noise(1, 3, 64, 48))
        kept = [item.clone() for item in (first.fused, *first.sides)]
        fast(noise(1, 3, 64, 48).flip(-1))
    assert all(torch.equal(one, other) for one, other in zip((first.fused, *first.sides), kept, strict=True))


def test_deep_stages_of_a_photos_shape_are_compiled(wide, monkeypatch):
    fast = compiled_version(wide)
    positions = []
    for module in fast.modules():
        if getattr(module, "compiled", None) is not None:
            run = module.compiled
            monkeypatch.setattr(
                module, "compiled", lambda x, run=run: (positions.append(x.shape[2] * x.shape[3]), run(x))[1]
            )
    with torch.inference_mode():
        fast(noise(1, 3, 320, 224))
    assert min(positions) == 20 * 14  # a sixteenth of each side; plain torch took two thirds of the time on these


def test_a_matte_does_not_depend_on_which_photo_it_is_of(wide):
    segmenter = U2NetSegmenter(wide, many=True)
    photos = [noise(1, 3, 50, 40), noise(1, 3, 31, 60) ** 2]
    first = [segmenter.segment(photo).matte for photo in photos]
    again = [segmenter.segment(photo).matte for photo in reversed(photos)]
    assert all(torch.equal(one, other) for one, other in zip(first, reversed(again), strict=True))
    assert count_compiled(segmenter) > 0


def test_kernels_serve_only_where_many_photos_are_announced(wide, monkeypatch):
    assert count_compiled(U2NetSegmenter(copy.deepcopy(wide))) == 0
    monkeypatch.setenv("POCHOIR_ENGINE", "torch")
    assert count_compiled(U2NetSegmenter(wide, many=True)) == 0


@pytest.mark.weights
def test_fused_map_equals_onnxruntime_on_a_photo():
    path = weights.where("u2net")
    reference = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    segmenter = create_segmenter(SegmentSettings(segmenter="u2net"), many=True)
    photo = torch.from_numpy(skimage.data.astronaut().transpose(2, 0, 1)[None].astype(np.float32) / 255.0)
    x = normalize(CONVENTIONS["official"].shrink(photo))
    (expected,) = reference.run([reference.get_outputs()[0].name], {reference.get_inputs()[0].name: x.numpy()})
    with torch.inference_mode():
        given = segmenter._network(x).fused
    assert count_compiled(segmenter) > 40
    np.testing.assert_allclose(given.numpy(), expected, rtol=0, atol=1e-4)
