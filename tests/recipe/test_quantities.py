import pytest

from pochoir.errors import OptionError
from pochoir.recipe.quantities import parse_bytes, parse_duration_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), ("1.5m", 90), ("1m30s", 90), ("2h", 7200), ("2 min", 120), ("1h 1m 1s", 3661)],
)
def test_durations(text, seconds):
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "soon", "-3s", "3 days", "1m30x", "nan", "1e5s"])
def test_what_is_no_duration(text):
    with pytest.raises(OptionError, match="written like 30s"):
        parse_duration_s(text)


@pytest.mark.parametrize(
    ("text", "size"), [("1000", 1000), ("2G", 2 << 30), ("1.5gb", 3 << 29), ("500M", 500 << 20), ("3 GiB", 3 << 30)]
)
def test_amounts(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "0", "much", "-2G", "2X", "nan"])
def test_what_is_no_amount(text):
    with pytest.raises(OptionError, match="written like 500M"):
        parse_bytes(text)
