from pathlib import Path

import pytest
from PIL import Image

from pochoir import styles
from support.program import error_line, pochoir


def test_list_has_a_line_for_each_style() -> None:
    lines = pochoir("styles").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(styles.NAMES)
    assert all(styles.describe(name) in line for name, line in zip(styles.NAMES, lines[1:], strict=True))


def test_save_draws_the_style_of_that_size_and_seed(tmp_path: Path) -> None:
    out = tmp_path / "style.png"
    result = pochoir("styles", styles.NAMES[0], "-o", out, "--size", 48, "--seed", 3)
    assert result.exit_code == 0, result.output
    assert str(out) in result.stdout
    with Image.open(out) as image:
        assert image.size == (48, 48)
    first = out.read_bytes()
    assert pochoir("styles", styles.NAMES[0], "-o", out, "--size", 48, "--seed", 4, "-q").stdout == ""
    assert out.read_bytes() != first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mozaic", "-o", "x.png"], "Unknown style 'mozaic'. Did you mean 'mosaic'?"),
        (["mosaic"], "Say where to save the style"),
        (["mosaic", "-o", "x.png", "--size", "3"], "sides from 16 to"),
        (["mosaic", "-o", "x.doc"], "extension '.doc'"),
        (["mosaic", "-o", "no/such/x.png"], "does not exist"),
    ],
)
def test_wrong_input_is_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = pochoir("styles", *arguments)
    assert result.exit_code == 2
    assert message in error_line(result)
    assert list(tmp_path.iterdir()) == []
