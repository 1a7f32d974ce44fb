"""Damaged pictures are told from whole ones."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from pochoir import imaging

EXTENSIONS = ["png", "jpg", "webp", "tif"]


def picture(seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, 24, 40, generator=torch.Generator().manual_seed(seed))


def cuts(size: int) -> list[int]:
    """Every length near both ends, and some in between."""
    return sorted({*range(12), *range(size - 24, size), *range(0, size, max(1, size // 40))})


def pixels_end(path: Path) -> int:
    with Image.open(path) as image:
        offsets, sizes = image.tag_v2[273], image.tag_v2[279]
    return max(offset + size for offset, size in zip(offsets, sizes, strict=True))


@pytest.mark.parametrize("stamped", [True, False], ids=["record", "no record"])
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_picture_that_was_cut_off_anywhere_is_not_intact(tmp_path: Path, extension: str, stamped: bool) -> None:
    path = tmp_path / f"a.{extension}"
    imaging.save(path, picture(), record='{"a":1}' if stamped else None)
    data = path.read_bytes()
    assert imaging.is_intact(path)
    # Behind the pixels of a TIFF lies its colour profile. Without a hash, only the pixels are known to be whole.
    end = pixels_end(path) if extension == "tif" and not stamped else len(data)
    for length in cuts(end):
        path.write_bytes(data[:length])
        assert not imaging.is_intact(path), length
    path.write_bytes(data)
    assert imaging.is_intact(path)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_changed_byte_is_seen(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"a.{extension}"
    imaging.save(path, picture(), record='{"a":1}')
    data = bytearray(path.read_bytes())
    for place in range(0, len(data), max(1, len(data) // 50)):
        spoilt = data.copy()
        spoilt[place] ^= 0x55
        path.write_bytes(spoilt)
        assert not imaging.is_intact(path), place


@pytest.mark.parametrize("extension", ["jpg", "webp", "tif"])
def test_another_picture_beside_the_record_is_seen(tmp_path: Path, extension: str) -> None:
    path, other = tmp_path / f"a.{extension}", tmp_path / f"b.{extension}"
    imaging.save(path, picture(), record='{"a":1}')
    imaging.save(other, picture(seed=1))
    other.replace(path)
    assert not imaging.is_intact(path)


def test_a_file_that_is_no_picture(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "a.webp", "a.tif", "a.txt", "a"):
        path = tmp_path / name
        assert not imaging.is_intact(path)
        path.write_bytes(b"text " * 100)
        assert not imaging.is_intact(path)
    assert not imaging.is_intact(tmp_path)
    assert not imaging.is_intact("nul\0")


@pytest.mark.parametrize("extension", ["jpg", "webp", "tif"])
@pytest.mark.parametrize("record", ['{"a":1}', '{"a":"\\ud800"}', "{}", "[1]", "text", '{"a":1}\n'])
def test_records_come_back_without_the_hash(tmp_path: Path, extension: str, record: str) -> None:
    path = tmp_path / f"a.{extension}"
    imaging.save(path, picture(), record=record)
    assert imaging.read_record(path).rstrip() == record.rstrip()
