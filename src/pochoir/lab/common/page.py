"""One HTML page that holds text, tables and pictures in itself, and so opens anywhere without a network."""

import base64
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image
from torch import Tensor

from pochoir import imaging
from pochoir.errors import ShapeError

if TYPE_CHECKING:
    import matplotlib.figure

_STYLE = """
:root { color-scheme: light; --ink: #3a3834; --paper: #f7f6f3; --line: #d6d3cd; --dim: #6d6a64; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 72rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
p { max-width: 44rem; }
figure { margin: 1.5rem 0; } img { max-width: 100%; height: auto; }
figcaption, caption { color: var(--dim); font-size: .9rem; text-align: left; max-width: 44rem; }
.wide { overflow-x: auto; margin: 1.5rem 0; }
table { border-collapse: collapse; } caption { caption-side: bottom; padding-top: .4rem; }
th, td { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
""".strip()


@dataclass(frozen=True)
class Text:
    """A paragraph; characters that mean something in HTML are shown as they are."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table; columns of numbers are set to the right.

    Attributes:
        headings: One for each column.
        rows: Texts of the cells, as many in each row as there are headings.
        caption: Below the table.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.headings):
                raise ShapeError(f"A table of {len(self.headings)} columns has a row of {len(row)} cells.")


@dataclass(frozen=True)
class Figure:
    """A picture in the page.

    Attributes:
        data: The picture's file.
        media_type: What kind of file it is, such as ``"image/png"``.
        alt: What it shows, for those who cannot see it.
        caption: Below the picture.
    """

    data: bytes
    media_type: str
    alt: str
    caption: str = ""


Part: TypeAlias = Text | Table | Figure


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    parts: Sequence[Part]


def picture(rgb: Tensor, *, alt: str, caption: str = "", quality: int = 85) -> Figure:
    """A picture as a JPEG figure.

    Args:
        rgb: Colours in [0, 1], shape (1, 3, H, W).
        alt: What it shows.
        caption: Below the picture.
        quality: 1 to 95.
    """
    values = rgb[0].permute(1, 2, 0).clamp(0, 1).mul(255).add(0.5).cpu().numpy().astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "JPEG", quality=quality)
    return Figure(buffer.getvalue(), "image/jpeg", alt, caption)


def chart(figure: "matplotlib.figure.Figure", *, alt: str, caption: str = "") -> Figure:
    """A matplotlib figure as SVG; the same figure gives the same bytes."""
    return Figure(svg(figure), "image/svg+xml", alt, caption)


def svg(figure: "matplotlib.figure.Figure") -> bytes:
    """A matplotlib figure as the bytes of an SVG file, without times or random names in it."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "pochoir"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return buffer.getvalue()


def render(title: str, sections: Sequence[Section]) -> str:
    """The page as HTML."""
    body = "\n".join(_section(section) for section in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def write_page(path: str | os.PathLike[str], title: str, sections: Sequence[Section]) -> None:
    """Write the page into one file.

    Raises:
        WriteError: The file cannot be written.
    """
    imaging.write_file(path, render(title, sections).encode(errors="replace"))


def _section(section: Section) -> str:
    parts = "\n".join(_part(part) for part in section.parts)
    return f"<section>\n<h2>{escape(section.title)}</h2>\n{parts}\n</section>"


def _part(part: Part) -> str:
    if isinstance(part, Text):
        return f"<p>{escape(part.text)}</p>"
    return _table(part) if isinstance(part, Table) else _figure(part)


def _figure(figure: Figure) -> str:
    source = f"data:{figure.media_type};base64,{base64.b64encode(figure.data).decode('ascii')}"
    caption = f"\n<figcaption>{escape(figure.caption)}</figcaption>" if figure.caption else ""
    return f'<figure>\n<img src="{source}" alt="{escape(figure.alt)}">{caption}\n</figure>'


def _table(table: Table) -> str:
    columns = zip(*table.rows, strict=True) if table.rows else ([] for _ in table.headings)
    classes = [' class="number"' if all(map(_is_number, column)) else "" for column in columns]
    head = "".join(f"<th{kind}>{escape(text)}</th>" for text, kind in zip(table.headings, classes, strict=True))
    rows = "\n".join(
        "<tr>" + "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row, classes, strict=True)) + "</tr>"
        for row in table.rows
    )
    caption = f"<caption>{escape(table.caption)}</caption>\n" if table.caption else ""
    return (
        f'<div class="wide"><table>\n{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'
    )


def _is_number(cell: str) -> bool:
    return cell.lstrip("-+±").replace(",", "")[:1].isdigit()
