"""CLIP: with the real open_clip and a small random network where it is installed, else with a stand-in."""

import importlib.util
import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from pochoir import imaging, similarity
from pochoir.errors import MissingExtraError, UnknownNameError, WeightsMissingError
from pochoir.imaging import Picture
from pochoir.similarity.clip import load_clip


class MeanColour:
    """A network that sees the mean colour."""

    def eval(self) -> None:
        pass

    def encode_image(self, batch: torch.Tensor) -> torch.Tensor:
        return batch.mean(dim=(2, 3))


@pytest.fixture
def open_clip(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A stand-in that knows one model with one training."""
    module = types.ModuleType("open_clip")
    module.asked = []

    def create(*arguments: object, **settings: object) -> tuple[MeanColour, None, object]:
        module.asked.append((*arguments, settings))
        return MeanColour(), None, lambda image: torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255

    module.list_models = lambda: ["ViT-B-32", "ViT-B-16-plus-240"]
    module.list_pretrained_tags_by_model = lambda model: ["laion400m_e31", "laion400m_e32"]
    module.get_pretrained_cfg = lambda model, tag: {"hf_hub": "timm/clip/", "mean": (0.5, 0.5, 0.5), "quick_gelu": True}
    module.create_model_and_transforms = create
    hub = types.ModuleType("huggingface_hub")
    hub.try_to_load_from_cache = lambda repository, file: None
    monkeypatch.setitem(sys.modules, "open_clip", module)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    return module


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.pt"
    path.touch()
    return path


def test_red_reaches_the_network_as_red(open_clip: types.ModuleType, checkpoint: Path) -> None:
    red = np.zeros((20, 30, 3), np.uint8)
    red[..., 0] = 255
    metric = load_clip(f"clip:ViT-B-32/{checkpoint}")
    ((vector,),) = metric.describe([similarity.read_exhibit(red).view(similarity.Framing())])
    assert vector.tolist() == [1.0, 0.0, 0.0]


def test_swapping_channels_moves_the_score_as_it_must(open_clip: types.ModuleType, checkpoint: Path) -> None:
    picture = np.full((20, 20, 3), (200, 100, 0), np.uint8)
    name = f"clip:ViT-B-32/{checkpoint}"
    (score,) = similarity.score(picture, picture[..., ::-1].copy(), metrics=[name])
    assert score.metric == name
    assert score.cosine == pytest.approx(100 * 100 / (200**2 + 100**2))
    assert score.value == 100 * score.cosine
    assert score.euclidean == pytest.approx(200 * 2**0.5 / 255)


def test_what_a_training_expects_is_handed_on(
    open_clip: types.ModuleType, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["huggingface_hub"], "try_to_load_from_cache", lambda _, file: str(checkpoint))
    load_clip("clip")
    ((model, settings),) = open_clip.asked
    assert model == "ViT-B-16-plus-240"
    assert settings["pretrained"] == str(checkpoint)
    assert (settings["image_mean"], settings["force_quick_gelu"]) == ((0.5, 0.5, 0.5), True)


def test_nothing_is_fetched_and_the_way_to_fetch_is_told(open_clip: types.ModuleType) -> None:
    with pytest.raises(
        WeightsMissingError, match=r"laion400m_e32 are not on this machine\. Fetch them once with: python"
    ):
        load_clip("clip")
    assert not open_clip.asked


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("clip:ViT-B-33/laion400m_e32", r"Unknown model of open_clip 'ViT-B-33'\. Did you mean 'ViT-B-32'"),
        ("clip:ViT-B-32/laion400m", "Unknown training of ViT-B-32 'laion400m'"),
        ("clip:ViT-B-32", "Unknown training of ViT-B-32 ''"),
    ],
)
def test_unknown_models_are_told(open_clip: types.ModuleType, name: str, text: str) -> None:
    with pytest.raises(UnknownNameError, match=text):
        load_clip(name)


@pytest.mark.parametrize(
    ("package", "name"), [("open_clip", "clip"), ("sentence_transformers", "clip:sentence-transformers/clip-ViT-B-32")]
)
def test_a_missing_package_is_told(package: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"needs the package {package} .* pip install 'pochoir\[clip\]'"):
        similarity.create_metrics([name])


def test_sentence_transformers_stay_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class SentenceTransformer:
        def __init__(self, name: str, **settings: object) -> None:
            asked.append((name, settings))
            if name.endswith("away"):
                raise OSError("not cached")

        def encode(self, pictures: list, **settings: object) -> torch.Tensor:
            return torch.from_numpy(np.stack([np.asarray(picture).mean(axis=(0, 1)) for picture in pictures]))

    module = types.ModuleType("sentence_transformers")
    module.SentenceTransformer = SentenceTransformer
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    metric = load_clip("clip:sentence-transformers/here")
    assert asked == [("sentence-transformers/here", {"device": "cpu", "local_files_only": True})]
    flat = np.full((8, 8, 3), (10, 20, 30), np.uint8)
    ((vector,),) = metric.describe([similarity.View(imaging.load(flat).rgb, None, "k")])
    assert vector.tolist() == pytest.approx([10, 20, 30])
    with pytest.raises(WeightsMissingError, match=r"SentenceTransformer\('sentence-transformers/away'\)"):
        load_clip("clip:sentence-transformers/away")


@pytest.mark.skipif(importlib.util.find_spec("open_clip") is None, reason="open_clip is not installed")
@pytest.mark.filterwarnings("ignore")  # of the package
def test_the_real_package_with_a_small_random_network(tmp_path: Path, photo: Picture) -> None:
    try:
        import open_clip
    except RuntimeError:  # a torchvision that does not fit torch lacks the operators that it asks for on import
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import open_clip
    small = {"layers": 1, "width": 64, "head_width": 32, "patch_size": 16, "image_size": 64}
    text = {"context_length": 8, "vocab_size": 50, "width": 32, "heads": 2, "layers": 1}
    (tmp_path / "small-clip.json").write_text(json.dumps({"embed_dim": 24, "vision_cfg": small, "text_cfg": text}))
    open_clip.add_model_config(tmp_path)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = open_clip.create_model("small-clip")
    checkpoint = tmp_path / "small.pt"
    torch.save(model.state_dict(), checkpoint)
    name = f"clip:small-clip/{checkpoint}"
    itself, swapped = (
        similarity.score(photo.rgb[0].permute(1, 2, 0).numpy(), other, metrics=[name])[0]
        for other in (photo, photo.rgb.flip(1)[0].permute(1, 2, 0).numpy())
    )
    assert itself.value == 100
    assert swapped.value < 99.9
    assert swapped.euclidean is not None
    assert swapped.euclidean > 0
