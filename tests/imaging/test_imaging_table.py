"""Every format, depth, colour space and alpha means the same: the table of docs/files.md as a test."""

import importlib.util
import sys
from pathlib import Path

import pytest

_FILE = Path(__file__).parents[2] / "benchmarks" / "files.py"
_spec = importlib.util.spec_from_file_location("benchmark_files", _FILE)
assert _spec is not None
assert _spec.loader is not None
files = importlib.util.module_from_spec(_spec)
sys.modules["benchmark_files"] = files  # dataclasses look their module up
_spec.loader.exec_module(files)

CASES = files.cases()


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.format}-{case.depth}-{case.space}-{case.alpha}".replace(" ", "_") for case in CASES]
)
def test_kind_of_file_is_read_within_one_level(tmp_path: Path, case: "files.Case") -> None:
    assert files.measure(case, tmp_path) <= files.MOST


@pytest.mark.parametrize("kind", files.written_kinds(), ids=lambda kind: f"{kind.suffix}-{kind.bits}-{kind.alpha}")
def test_kind_of_file_is_written_within_one_level(tmp_path: Path, kind: "files.Written") -> None:
    assert files.measure_written(kind, tmp_path) <= files.MOST


def test_measure_notices_a_wrong_picture(tmp_path: Path) -> None:
    case = CASES[0]
    wrong = files.Case(case.format, case.depth, case.space, case.alpha, case.data, case.rgb + 2)
    assert files.measure(wrong, tmp_path) == pytest.approx(2, abs=0.01)
