"""LPIPS and DISTS, with a stand-in for the package that brings them."""

import sys
import types
from pathlib import Path

import pytest
import torch

from pochoir import similarity
from pochoir.errors import MissingExtraError, WeightsMissingError
from pochoir.imaging import Picture
from pochoir.similarity.perceptual import load_perceptual


class Difference(torch.nn.Module):
    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return (one - other).abs().mean()


@pytest.fixture
def piq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A stand-in for the package; gives the folder in which its weights would be."""
    module = types.ModuleType("piq")
    module.LPIPS = module.DISTS = Difference
    monkeypatch.setitem(sys.modules, "piq", module)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


@pytest.mark.parametrize("name", ["lpips", "dists"])
def test_two_pictures_are_handed_to_the_library(name: str, piq: Path, photo: Picture) -> None:
    for file in ("vgg16-397923af.pth", f"{name}_weights.pt"):
        (piq / file).touch()
    darker = photo.rgb[0].permute(1, 2, 0).numpy() * 0.5
    itself, other = (similarity.score(photo, picture, metrics=[name])[0] for picture in (photo, darker))
    assert (itself.value, itself.closer, itself.cosine) == (0.0, "lower", None)
    assert other.value == pytest.approx(float(photo.rgb.mean()) / 2, rel=0.01)


def test_nothing_is_fetched_and_what_is_missing_is_named(piq: Path) -> None:
    (piq / "vgg16-397923af.pth").touch()
    with pytest.raises(WeightsMissingError, match=r"lacks dists_weights.pt\. Fetch them once with: .*piq.DISTS\(\)"):
        load_perceptual("dists")


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "piq", None)
    with pytest.raises(MissingExtraError, match=r"lpips needs the package piq .* pip install 'pochoir\[perceptual\]'"):
        similarity.create_metrics(["lpips"])
