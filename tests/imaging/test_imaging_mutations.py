"""Pictures damaged at random are read or refused in one line; benchmarks/mutations.py tries thousands."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

_FILE = Path(__file__).parents[2] / "benchmarks" / "mutations.py"
_spec = importlib.util.spec_from_file_location("benchmark_mutations", _FILE)
assert _spec is not None
assert _spec.loader is not None
mutations = importlib.util.module_from_spec(_spec)
sys.modules["benchmark_mutations"] = mutations  # dataclasses look their module up
_spec.loader.exec_module(mutations)

COUNT = 200


@pytest.mark.parametrize("seed", [1])
def test_damaged_pictures(tmp_path: Path, seed: int) -> None:
    verdicts = {}
    for index, name, data in mutations.plan(COUNT, seed):
        outcome = mutations.try_one(name, data, tmp_path)
        verdicts[index] = outcome
        assert outcome.verdict in ("read", "refused"), f"picture {index} of seed {seed}: {outcome}"
    assert [item.name for item in tmp_path.iterdir()] == ["picture.bin"]
    assert {outcome.verdict for outcome in verdicts.values()} == {"read", "refused"}


def test_sound_pictures_are_read(tmp_path: Path) -> None:
    for name, data in mutations.sources().items():
        assert mutations.try_one(name, data, tmp_path).verdict == "read", name


def test_a_crash_and_a_hang_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import time

    def misbehave(name: str, data: bytes, folder: Path) -> object:
        if name == "crash":
            os._exit(11)
        if name == "hang":
            time.sleep(60)
        return mutations.Outcome(name, "read")

    names = ["fine", "crash", "fine", "hang", "fine"]
    monkeypatch.setattr(mutations, "try_one", misbehave)
    monkeypatch.setattr(mutations, "HANG_S", 0.5)
    monkeypatch.setattr(mutations, "plan", lambda count, seed: [(at, name, b"") for at, name in enumerate(names)])
    outcomes = [(index, outcome.verdict) for index, outcome, _ in mutations.run(len(names), 0)]
    assert outcomes == [(0, "read"), (1, "crash"), (2, "read"), (3, "hang"), (4, "read")]


def test_same_seed_same_damage() -> None:
    one, other = (mutations.mutate(b"some bytes of a picture" * 9, np.random.default_rng(5)) for _ in range(2))
    assert one == other
