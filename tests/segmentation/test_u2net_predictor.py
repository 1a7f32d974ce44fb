import sys

import numpy as np
import onnxruntime
import pytest
import skimage.data
import skimage.transform
import torch
from PIL import Image
from torch import nn

from pochoir import weights
from pochoir._types import Size
from pochoir.errors import ShapeError, UnknownNameError
from pochoir.segmentation.u2net.network import SaliencyMaps
from pochoir.segmentation.u2net.predictor import CONFIGS, U2NetSegmenter
from pochoir.segmentation.u2net.preprocessing import CONVENTIONS, normalize, stretch
from support.memory import resident_bytes

PHOTOS = {name: getattr(skimage.data, name) for name in ("astronaut", "chelsea", "coffee")}


def to_tensor(pixels):
    return torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255.0)


class FixedNetwork(nn.Module):
    """Answers every picture with the same maps."""

    def __init__(self, fused):
        super().__init__()
        self.fused = fused

    def forward(self, x):
        return SaliencyMaps(self.fused, tuple(self.fused * share for share in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)))


def normalize_photo(photo):
    return normalize(CONVENTIONS["official"].shrink(photo))


def disc(low=0.1, high=0.9):
    y, x = torch.meshgrid(torch.linspace(-1, 1, 320), torch.linspace(-1, 1, 320), indexing="ij")
    return torch.where(x**2 + y**2 < 0.5, high, low)[None, None]


@pytest.mark.weights
@pytest.mark.parametrize("name", list(CONFIGS))
def test_fused_map_equals_onnxruntime_on_photos(name):
    path = weights.where(name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    reference = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    network = U2NetSegmenter.from_file(path, name=name)._network
    for photo, read in PHOTOS.items():
        x = normalize_photo(to_tensor(read()))
        (expected,) = reference.run([reference.get_outputs()[0].name], {reference.get_inputs()[0].name: x.numpy()})
        with torch.inference_mode():
            given = network(x).fused
        assert np.ptp(expected) > 0.9, photo
        np.testing.assert_allclose(given.numpy(), expected, rtol=0, atol=1e-4, err_msg=photo)


@pytest.mark.weights
def test_astronaut_is_found():
    found = U2NetSegmenter.from_file(weights.where("u2netp"), name="u2netp").segment(to_tensor(PHOTOS["astronaut"]()))
    assert found.matte.shape == (1, 1, 512, 512)
    assert found.matte[0, 0, 100, 220] > 0.95  # the face
    assert found.matte[0, 0, 60, 20] < 0.05  # the flag
    assert found.notes == ()


def test_photo_is_fed_as_the_authors_do():
    pixels = PHOTOS["astronaut"]()
    small = skimage.transform.resize(pixels, (320, 320), order=1, mode="constant", anti_aliasing=False)
    expected = (small / small.max() - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    given = normalize_photo(to_tensor(pixels))[0].permute(1, 2, 0)
    np.testing.assert_allclose(given.numpy(), expected, rtol=0, atol=1e-4)


def test_dark_photo_is_brightened_to_its_maximum_and_black_stays_black():
    photo = torch.rand(1, 3, 320, 320, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(normalize_photo(photo * 0.1), normalize_photo(photo))
    black = normalize_photo(torch.zeros(1, 3, 40, 40))
    torch.testing.assert_close(black[0, :, 0, 0], torch.tensor([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225]))


def test_each_photo_of_a_batch_is_divided_by_its_own_maximum():
    photos = (
        torch.rand(2, 3, 50, 60, generator=torch.Generator().manual_seed(0))
        * torch.tensor([1.0, 0.2])[:, None, None, None]
    )
    alone = torch.cat([normalize_photo(photo[None]) for photo in photos])
    torch.testing.assert_close(normalize_photo(photos), alone)


def test_stretch_spreads_each_map_over_the_whole_range():
    maps = torch.tensor([[0.2, 0.4, 0.6], [0.0, 0.5, 1.0]]).view(2, 1, 1, 3)
    torch.testing.assert_close(stretch(maps), torch.tensor([[0.0, 0.5, 1.0]] * 2).view(2, 1, 1, 3))


@pytest.mark.parametrize("level", [0.0, 0.03, 1.0])
def test_flat_map_is_returned_as_it_is(level):
    flat = torch.full((1, 1, 4, 4), level)
    flat[0, 0, 0, 0] -= 0.02 if level == 1.0 else -0.02
    assert torch.equal(stretch(flat), flat)


def test_matte_has_the_photos_size_and_the_stages_its_shape():
    found = U2NetSegmenter(FixedNetwork(disc()), name="mine").segment(torch.rand(1, 3, 200, 100))
    assert found.method == "mine"
    assert found.box is None
    assert found.notes == ()
    assert found.matte.shape == (1, 1, 200, 100)
    assert float(found.matte.min()) == 0.0
    assert float(found.matte.max()) == 1.0
    assert [caption for caption, _ in found.stages] == ["fused", *(f"side {n}" for n in range(1, 7))]
    assert all(stage.shape == (1, 1, *Size(320, 160)) for _, stage in found.stages)
    assert float(found.stages[6][1].max()) == pytest.approx(0.36, abs=1e-4)  # stages are not stretched


def test_enlarging_the_matte_is_plain_bilinear():
    fused = torch.rand(1, 1, 320, 320, generator=torch.Generator().manual_seed(3))
    fused = torch.maximum(fused, fused.flip(-1))  # or the mirrored photo's map would differ
    found = U2NetSegmenter(FixedNetwork(fused)).segment(torch.rand(1, 3, 640, 480))
    expected = nn.functional.interpolate(stretch(fused), size=(640, 480), mode="bilinear", align_corners=False)
    torch.testing.assert_close(found.matte, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (320, 320), (641, 3)])
def test_any_size_of_photo_works(tiny, size):
    found = U2NetSegmenter(tiny).segment(torch.rand(1, 3, *size))
    assert found.matte.shape == (1, 1, *size)
    assert 0.0 <= float(found.matte.min()) <= float(found.matte.max()) <= 1.0


def test_matte_can_meet_autograd(tiny):
    found = U2NetSegmenter(tiny).segment(torch.rand(1, 3, 320, 320))
    for tensor in (found.matte, *(stage for _, stage in found.stages)):
        x = torch.ones_like(tensor, requires_grad=True)
        (x * tensor).sum().backward()
        assert torch.equal(x.grad, tensor)


def test_no_subject_is_noted():
    found = U2NetSegmenter(FixedNetwork(torch.full((1, 1, 320, 320), 0.02))).segment(torch.rand(1, 3, 50, 50))
    assert found.is_empty
    assert found.notes == ("No subject was found: the matte is nowhere above one half.",)


def test_subject_everywhere_is_noted():
    found = U2NetSegmenter(FixedNetwork(torch.full((1, 1, 320, 320), 0.99))).segment(torch.rand(1, 3, 50, 50))
    assert not found.is_empty
    assert "fills the whole photo" in found.notes[0]


def test_weak_answer_is_noted_though_stretching_hides_it():
    found = U2NetSegmenter(FixedNetwork(disc(0.0, 0.3)), name="u2net").segment(torch.rand(1, 3, 50, 50))
    assert float(found.matte.max()) == 1.0
    assert found.notes == ("u2net is unsure that there is a subject: its strongest answer is 0.30 of 1.",)


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 3, 8, 8), (1, 1, 8, 8), (1, 3, 0, 8)])
def test_other_shapes_of_photo_are_refused(tiny, shape):
    with pytest.raises(ShapeError, match=r"one RGB photo, shape \(1, 3, H, W\); got"):
        U2NetSegmenter(tiny).segment(torch.zeros(shape))


def test_unknown_network_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(UnknownNameError, match=r"Unknown U2-Net 'u2netq'.*Allowed: u2net, u2netp"):
        U2NetSegmenter.from_file(tmp_path / "x.onnx", name="u2netq")


def rembg_matte(pixels, session):
    """What rembg does with U-2-Net, written out: 8 bits and Pillow's Lanczos on both sides."""
    small = np.array(Image.fromarray(pixels).resize((320, 320), Image.Resampling.LANCZOS))
    x = (small / small.max() - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    feed = {session.get_inputs()[0].name: x.transpose(2, 0, 1)[None].astype(np.float32)}
    fused = session.run(None, feed)[0][0, 0]
    spread = ((fused - fused.min()) / (fused.max() - fused.min()) * 255).astype(np.uint8)
    return np.array(Image.fromarray(spread).resize(pixels.shape[1::-1], Image.Resampling.LANCZOS))


@pytest.mark.weights
@pytest.mark.parametrize("photo", ["astronaut", "chelsea"])
def test_rembg_convention_gives_rembgs_mattes(photo):
    path, pixels = weights.where("u2netp"), PHOTOS[photo]()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    expected = rembg_matte(pixels, onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]))
    found = U2NetSegmenter.from_file(path, name="u2netp", preprocess="rembg").segment(to_tensor(pixels))
    given = (found.matte[0, 0] * 255).round().int().numpy()
    # A network value on the border between two of 256 levels may fall either way, and Lanczos overshoots such steps.
    difference = np.abs(given - expected)
    assert difference.max() <= 2
    assert (difference > 0).mean() < 0.01


def test_rembg_convention_feeds_pillows_lanczos():
    pixels = PHOTOS["coffee"]()
    expected = np.array(Image.fromarray(pixels).resize((320, 320), Image.Resampling.LANCZOS))
    given = CONVENTIONS["rembg"].shrink(to_tensor(pixels))[0].permute(1, 2, 0) * 255.0
    np.testing.assert_allclose(given.numpy(), expected, rtol=0, atol=1e-4)


def test_rembg_convention_rounds_maps_down():
    enlarged = CONVENTIONS["rembg"].enlarge(torch.full((1, 1, 320, 320), 0.999), Size(40, 30))
    torch.testing.assert_close(enlarged, torch.full((1, 1, 40, 30), 254 / 255))


def test_report_convention_smooths_and_feeds_512():
    stripes = (torch.arange(2048) % 2).float().expand(1, 3, 1024, 2048)  # finer than any of the inputs can show
    inner = (..., slice(None), slice(8, -8))
    assert CONVENTIONS["report"].shrink(stripes).shape == (1, 3, 512, 512)
    assert float((CONVENTIONS["report"].shrink(stripes)[inner] - 0.5).abs().max()) < 0.1
    assert float(CONVENTIONS["official"].shrink(stripes)[inner].std()) > 0.1


@pytest.mark.parametrize("preprocess", list(CONVENTIONS))
@pytest.mark.parametrize("size", [(1, 1), (5, 700), (333, 321)])
def test_every_convention_takes_any_size(tiny, preprocess, size):
    found = U2NetSegmenter(tiny, preprocess=preprocess).segment(torch.rand(1, 3, *size))
    assert found.matte.shape == (1, 1, *size)
    assert 0.0 <= float(found.matte.min()) <= float(found.matte.max()) <= 1.0
    assert found.matte.dtype == torch.float32


def test_unknown_convention_is_refused_before_the_file_is_read(tiny, tmp_path):
    with pytest.raises(UnknownNameError, match=r"Unknown preprocessing 'rembgs'. Did you mean 'rembg'"):
        U2NetSegmenter.from_file(tmp_path / "absent.onnx", name="u2net", preprocess="rembgs")
    with pytest.raises(UnknownNameError, match="Allowed: multiscale, official, rembg, report"):
        U2NetSegmenter(tiny, preprocess="")


@pytest.mark.weights
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is asked to")
def test_weights_of_a_file_leave_the_memory_and_mattes_stay_the_same():
    photo = to_tensor(PHOTOS["astronaut"]())
    U2NetSegmenter.from_file(weights.where("u2netp"), name="u2netp")  # makes the copy that is mapped
    segmenter = U2NetSegmenter.from_file(weights.where("u2netp"), name="u2netp")
    first = segmenter.segment(photo).matte
    resident, size = resident_bytes("u2netp.onnx.mapped")
    assert size > 4 << 20
    assert resident < size / 4
    assert torch.equal(segmenter.segment(photo).matte, first)


def test_weights_of_a_given_network_are_left_alone(monkeypatch):
    def fail(tensors):
        raise AssertionError("they may have been changed since they were read")

    monkeypatch.setattr("pochoir.segmentation.u2net.predictor.release_pages", fail)
    U2NetSegmenter(FixedNetwork(disc())).segment(torch.rand(1, 3, 40, 60))
