import re
import subprocess
import sys

import pytest

from pochoir.weights import SAMPLES, TABLE, SdistSource, UrlSource, WheelSource

ROWS = {**TABLE, **SAMPLES}


def test_names_are_the_keys_and_files_do_not_share_a_place() -> None:
    assert [row.name for row in ROWS.values()] == list(ROWS)
    assert {"vgg19", "u2net", "u2netp", "vgg16", "alexnet", "dists"} <= set(TABLE)
    assert len({row.filename for row in ROWS.values()}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_row_is_complete(row) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", row.sha256)
    assert row.size_bytes > 10_000
    assert row.licence
    assert row.about.endswith(".")
    assert row.sources


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_sources_are_pinned_and_encrypted(row) -> None:
    for source in row.sources:
        if isinstance(source, UrlSource):
            assert source.url.startswith("https://")
            continue
        assert isinstance(source, WheelSource | SdistSource)
        assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+", source.requirement)
        if isinstance(source, SdistSource):
            assert re.fullmatch(r"[0-9a-f]{64}", source.sha256)


def test_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError, match="does not support item assignment"):
        TABLE["mine"] = TABLE["vgg19"]


def test_listing_needs_neither_torch_nor_the_downloaders() -> None:
    code = "import sys, pochoir.weights; print(*({'torch', 'numpy', 'requests', 'pooch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


@pytest.mark.weights
@pytest.mark.parametrize("name", ["vgg19", "u2net", "u2netp", "vgg16", "alexnet", "dists", "pose"])
def test_cached_files_are_the_ones_in_the_table(name) -> None:
    from pochoir.weights import WeightStatus, verify

    assert verify(name).status is WeightStatus.OK
