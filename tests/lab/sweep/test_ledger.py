import json
from pathlib import Path

import pytest

from pochoir.errors import WriteError
from pochoir.lab.sweep.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "runs.jsonl")


def test_what_was_added_is_read_and_the_last_entry_of_a_key_counts(ledger: Ledger) -> None:
    assert ledger.read() == {}
    for entry in ({"key": "a", "n": 1}, {"key": "b", "n": 2}, {"key": "a", "n": 3}):
        ledger.add(entry)
    assert ledger.read() == {"a": {"key": "a", "n": 3}, "b": {"key": "b", "n": 2}}
    assert ledger.path.read_text().count("\n") == 3


@pytest.mark.parametrize("torn", range(1, 40))
def test_a_file_cut_off_anywhere_keeps_all_whole_lines_and_goes_on(ledger: Ledger, torn: int) -> None:
    ledger.add({"key": "a", "name": "first"})
    whole = ledger.path.read_bytes()
    ledger.add({"key": "b", "name": "Zweiter, größer"})
    ledger.path.write_bytes(ledger.path.read_bytes()[: len(whole) + torn])
    assert "a" in ledger.read()
    ledger.add({"key": "c", "name": "third"})
    assert {"a", "c"} <= set(ledger.read())
    assert ledger.path.read_bytes().startswith(whole)


@pytest.mark.parametrize("line", ["", "[]", "3", "{}", '{"key": "a"', "\x00\x00"])
def test_lines_that_are_no_entries_are_passed_over(ledger: Ledger, line: str) -> None:
    ledger.path.write_text(line + "\n" + json.dumps({"key": "z"}) + "\n")
    assert list(ledger.read()) == ["z"]


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="No such file"):
        Ledger(tmp_path / "no" / "runs.jsonl").add({"key": "a"})
