"""HTML pages of text, tables and pictures that open anywhere without a network."""

import base64
import functools
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import jinja2
import numpy as np
from PIL import Image
from torch import Tensor

from pochoir import imaging
from pochoir.errors import ShapeError

if TYPE_CHECKING:
    import matplotlib.figure

PAGE_NAME = "index.html"
"""File name of the page in every folder of results."""
EMBEDDED_LONG_SIDE_PX = 1600
"""Pictures are embedded no larger than this; the link leads to the full size."""


@dataclass(frozen=True)
class Text:
    """A paragraph. Characters with a meaning in HTML are shown as they are, here and in all other parts."""

    text: str
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Warning:
    """A paragraph that a reader must not miss."""

    text: str
    kind: ClassVar[str] = "warning"


@dataclass(frozen=True)
class Items:
    """A bulleted list."""

    items: Sequence[str]
    kind: ClassVar[str] = "items"


@dataclass(frozen=True)
class Table:
    """A table; the first column heads the rows, columns of numbers are aligned to the right.

    Attributes:
        headings: One for each column.
        rows: Texts of the cells, as many in each row as there are headings.
        caption: Text below the table.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.headings):
                raise ShapeError(f"A table of {len(self.headings)} columns has a row of {len(row)} cells.")

    def is_number_column(self, index: int) -> bool:
        """Return True if all cells of a column but empty ones begin with a number."""
        cells = [row[index] for row in self.rows if row[index]]
        return bool(cells) and all(cell.lstrip("-+±<≥").replace(",", "")[:1].isdigit() for cell in cells)


@dataclass(frozen=True)
class Figure:
    """A picture in a page.

    Attributes:
        source: Address of the picture: a file beside the page, or a ``data:`` address that holds it.
        alt: Description for those who cannot see the picture.
        caption: Text below the picture.
        link: File beside the page that holds the full size; empty if there is none.
    """

    source: str
    alt: str
    caption: str = ""
    link: str = ""
    kind: ClassVar[str] = "figure"


Part: TypeAlias = Text | Warning | Items | Table | Figure


@dataclass(frozen=True)
class Section:
    """A heading and the parts below it; without a title there is no heading."""

    title: str
    parts: Sequence[Part]


def embed(data: bytes, media_type: str) -> str:
    """Return a ``data:`` address that holds a file."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def picture(rgb: Tensor, *, alt: str, caption: str = "", link: str = "", quality: int = 85) -> Figure:
    """Return a picture as an embedded JPEG figure.

    Args:
        rgb: Colours in [0, 1], shape (1, 3, H, W).
        alt: Description for those who cannot see the picture.
        caption: Text below the picture.
        link: File beside the page that holds the full size.
        quality: 1 to 95.
    """
    values = rgb[0].permute(1, 2, 0).clamp(0, 1).mul(255).add(0.5).cpu().numpy().astype(np.uint8)
    image = Image.fromarray(values)
    image.thumbnail((EMBEDDED_LONG_SIDE_PX, EMBEDDED_LONG_SIDE_PX))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Figure(embed(buffer.getvalue(), "image/jpeg"), alt, caption, link)


def chart(drawing: bytes, *, alt: str, caption: str = "", link: str = "") -> Figure:
    """Return a chart, bytes of an SVG file, as an embedded figure."""
    return Figure(embed(drawing, "image/svg+xml"), alt, caption, link)


def svg(figure: "matplotlib.figure.Figure") -> bytes:
    """Return a matplotlib figure as the bytes of an SVG file, without times or random names in it."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "pochoir"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return buffer.getvalue()


def render(title: str, sections: Sequence[Section], *, links: Sequence[tuple[str, str]] = ()) -> str:
    """Return the page as HTML.

    Args:
        title: Heading of the page.
        sections: Contents.
        links: Labels and addresses of related pages, shown at the top.
    """
    return _environment().get_template("page.html.j2").render(title=title, sections=sections, links=links)


def write_page(
    path: str | os.PathLike[str], title: str, sections: Sequence[Section], *, links: Sequence[tuple[str, str]] = ()
) -> None:
    """Write the page into one file.

    Raises:
        WriteError: The file cannot be written.
    """
    # File names that are not UTF-8 reach a page as lone surrogates.
    imaging.write_file(path, render(title, sections, links=links).encode(errors="replace"))


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("pochoir.lab.common", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
