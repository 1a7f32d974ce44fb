import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure as Chart
from PIL import Image

from pochoir.errors import ShapeError, WriteError
from pochoir.lab.common.charts import new_figure
from pochoir.lab.common.page import (
    Figure,
    Items,
    Section,
    Table,
    Text,
    Warning,
    chart,
    picture,
    render,
    svg,
    write_page,
)


class Reader(HTMLParser):
    """Collects the tags of a page and checks that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def red() -> torch.Tensor:
    rgb = torch.zeros(1, 3, 20, 30)
    rgb[:, 0] = 1.0
    return rgb


def test_a_page_needs_nothing_from_elsewhere(red: torch.Tensor) -> None:
    axes_of = Chart(figsize=(2, 2))
    axes_of.subplots().plot([0, 1], [1, 0])
    page = render("All kinds", [Section("One", [Text("a"), Table(["x"], [["1"]]), picture(red, alt="red"),
                                                chart(svg(axes_of), alt="a line")])])  # fmt: skip
    reader = Reader(page)
    for tag, attributes in reader.tags:
        assert tag not in ("link", "script", "iframe")
        assert attributes.get("src", "data:").startswith("data:")
    assert not re.search(r"@import|url\(", page)


def test_a_picture_arrives_as_it_was(red: torch.Tensor) -> None:
    page = render("Red", [Section("s", [picture(red, alt="red", caption="A red one")])])
    source = next(attributes["src"] for tag, attributes in Reader(page).tags if tag == "img")
    with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as image:
        shown = np.asarray(image)
    assert shown.shape == (20, 30, 3)
    assert np.abs(shown.astype(int) - (255, 0, 0)).max() <= 3
    assert "<figcaption>A red one</figcaption>" in page


def test_texts_cannot_break_the_page() -> None:
    bad = '<script>alert("1")</script> & "quotes"'
    page = render(
        bad,
        [Section(bad, [Text(bad), Table([bad], [[bad]], bad), Figure(bad, bad, bad, bad), Warning(bad), Items([bad])])],
    )
    assert "script" not in {tag for tag, _ in Reader(page).tags}
    assert next(attributes["alt"] for tag, attributes in Reader(page).tags if tag == "img") == bad


def test_columns_of_numbers_are_set_to_the_right() -> None:
    page = render("t", [Section("s", [Table(["name", "value"], [["a", "-1.5"], ["b", "2 [1, 3]"], ["c", ""]])])])
    assert page.count('<td class="number">') == 3
    assert '<th scope="col" class="number">value</th>' in page
    assert '<th scope="row">a</th>' in page


def test_a_table_without_rows_still_has_its_headings() -> None:
    assert "<th" in render("t", [Section("s", [Table(["name", "value"], [])])])


def test_a_row_too_short_is_refused() -> None:
    with pytest.raises(ShapeError, match="2 columns has a row of 1"):
        Table(["name", "value"], [["a"]])


def test_a_page_is_readable_in_the_dark_and_says_what_it_links_to(red: torch.Tensor) -> None:
    page = render("t", [Section("", [picture(red, alt="red", link="red.png")])], links=[("Details", "details.html")])
    tags = Reader(page).tags
    assert "prefers-color-scheme: dark" in page
    assert [attributes["href"] for tag, attributes in tags if tag == "a"] == ["details.html", "red.png"]
    assert "h2" not in {tag for tag, _ in tags}


def test_a_large_picture_is_embedded_smaller() -> None:
    large = torch.zeros(1, 3, 10, 2000)
    source = picture(large, alt="wide").source
    with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as image:
        assert image.size == (1600, 8)


def test_text_in_charts_is_at_least_10_px_high_in_a_page_500_px_wide() -> None:
    figure, axes = new_figure(2, 2, row_height=2.0)
    axes[0][0].plot([0, 1], [0, 1])
    width_pt = float(re.search(rb'width="([0-9.]+)pt"', svg(figure)).group(1))
    smallest_pt = min(label.get_fontsize() for label in axes[0][0].get_xticklabels())
    assert smallest_pt * 500 / width_pt >= 10


def test_the_same_page_has_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        figure = Chart(figsize=(2, 2))
        figure.subplots().plot([0, 1], [1, 0], label="line")
        write_page(tmp_path / name, "Same", [Section("s", [chart(svg(figure), alt="line")])])
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="No such file"):
        write_page(tmp_path / "no" / "page.html", "t", [])
