"""Pictures as tensors, as PIL images and as previews."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pochoir import imaging
from pochoir._types import Size
from pochoir.errors import ImageReadError, OutputPathError, ShapeError


@pytest.fixture
def rgba() -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, (12, 17, 4), dtype=np.uint8)


class TestTensors:
    @pytest.mark.parametrize("channels", [1, 3, 4])
    @pytest.mark.parametrize("is_batched", [False, True])
    def test_a_tensor_is_read_as_the_array_of_its_values(self, channels, is_batched, rgba):
        array = rgba[..., :channels]
        tensor = torch.from_numpy(array).permute(2, 0, 1)
        from_array, from_tensor = imaging.load(array), imaging.load(tensor[None] if is_batched else tensor)
        assert torch.equal(from_tensor.rgb, from_array.rgb)
        assert from_tensor.sha256 == from_array.sha256
        if channels == 4:
            assert torch.equal(from_tensor.alpha, from_array.alpha)

    def test_floats_keep_every_bit(self):
        values = torch.rand(1, 3, 9, 7, generator=torch.Generator().manual_seed(0))
        assert torch.equal(imaging.load(values.requires_grad_()).rgb, values.detach())
        assert torch.equal(imaging.load(values.detach().half()).rgb, values.detach().half().float())

    @pytest.mark.parametrize("shape", [(5, 4), (1, 5, 4), (1, 1, 5, 4)])
    def test_a_matte_is_a_mask(self, shape):
        matte = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        assert torch.equal(imaging.load_matte(matte, size=Size(5, 4)).matte, matte.view(1, 1, 5, 4))

    @pytest.mark.parametrize(
        ("tensor", "reason"),
        [
            (torch.zeros(2, 3, 5, 4), r"a tensor must have the shape .* got \(2, 3, 5, 4\)"),
            (torch.zeros(5, 4, 3), r"got \(5, 4, 3\)"),
            (torch.zeros(3, 0, 4), "no pixels"),
            (torch.full((3, 5, 4), 2.0), "its values run from 2 to 2"),
            (torch.full((3, 5, 4), torch.nan), "not finite"),
            (torch.zeros(3, 5, 4, dtype=torch.int64), "int64"),
        ],
    )
    def test_what_is_no_picture_is_refused(self, tensor, reason):
        with pytest.raises(ImageReadError, match=reason):
            imaging.load(tensor)


class TestImages:
    def test_there_and_back_is_the_same(self, rgba):
        for channels, mode in ((1, "L"), (3, "RGB"), (4, "RGBA")):
            tensor = torch.from_numpy(rgba[..., :channels]).permute(2, 0, 1)[None] / 255.0
            image = imaging.to_image(tensor)
            assert image.mode == mode
            np.testing.assert_array_equal(np.asarray(image).reshape(12, 17, channels), rgba[..., :channels])

    @pytest.mark.parametrize("shape", [(3, 5, 4), (2, 3, 5, 4), (1, 2, 5, 4), (1, 3, 0, 4)])
    def test_what_is_no_picture_is_refused(self, shape):
        with pytest.raises(ShapeError, match="1, 3 or 4 channels"):
            imaging.to_image(torch.zeros(shape))

    @pytest.mark.parametrize("channels", [1, 3, 4])
    def test_previews_are_scaled_down_only(self, channels):
        for height, width, expected in ((20, 40, (16, 8)), (5, 9, (9, 5))):
            data = imaging.encode_preview(torch.full((1, channels, height, width), 0.5), 16)
            with Image.open(io.BytesIO(data)) as image:
                assert (image.format, image.size) == ("PNG", expected)


def test_which_formats_hold_alpha():
    assert imaging.holds_alpha("a.PNG")
    assert not imaging.holds_alpha("a.jpg")
    with pytest.raises(OutputPathError, match="extension"):
        imaging.holds_alpha("a.xyz")
