"""Weights that forbid commercial use are refused where that is asked."""

import pytest

from pochoir import segmentation, weights
from pochoir.errors import OptionError
from pochoir.recipe import Recipe
from pochoir.weights import store
from pochoir.weights.table import TABLE


def test_permissive_weights_pass() -> None:
    for name in ("u2net", "vgg19", "realesr-animevideov3"):
        weights.check_terms(name)
    assert segmentation.create_segmenter(Recipe(segmenter="grabcut", box="1,1,9,9", commercial_safe=True)).name


@pytest.mark.parametrize(
    ("name", "message"), [("rembg:bria-rmbg", "for non-commercial use"), ("rembg:unheard-of", "does not know")]
)
def test_others_are_refused(name: str, message: str) -> None:
    with pytest.raises(OptionError, match=f"{name}.*{message}.*--commercial-safe"):
        segmentation.create_segmenter(Recipe(segmenter=name, commercial_safe=True))


def test_rows_of_the_table_are_judged_by_their_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    row = dataclasses.replace(TABLE["vgg19"], allows_commercial_use=False)
    monkeypatch.setattr(store, "TABLE", {**TABLE, "vgg19": row})
    with pytest.raises(OptionError, match=r"vgg19 .* non-commercial use only"):
        weights.check_terms("vgg19")
