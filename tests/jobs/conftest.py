from pathlib import Path

import pytest

import support.kinds  # noqa: F401  # registers the kind "count"
from pochoir.jobs import Job


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Six files of some bytes each."""
    folder = tmp_path / "photos"
    folder.mkdir()
    paths = [folder / f"{number}.bin" for number in range(6)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes(range(number, number + 20)))
    return paths


@pytest.fixture
def jobs(photos: list[Path], tmp_path: Path) -> list[Job]:
    """A job of the kind "count" for each of the files."""
    log = tmp_path / "log"
    return [
        Job(kind="count", photo=path, output=tmp_path / "out" / path.name, form={"log": str(log)}) for path in photos
    ]
