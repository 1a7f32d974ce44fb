"""Progress of a painting in a notebook or a terminal."""

import base64
import html
import sys
import time
from collections.abc import Iterator
from typing import Any

from pochoir import imaging
from pochoir.painting import Painting
from pochoir.result import Result
from pochoir.transfer import Step

PREVIEW_LONG_SIDE_PX = 384
"""Long side of the picture beside the bar of a notebook."""


def show_progress(painting: Painting, *, preview_s: float = 2.0) -> Result:
    """Paint to the end and show a progress bar; in a notebook also the picture so far.

    Interrupt the kernel, or press Ctrl-C, to stop early: the best picture so far is returned.

    Args:
        painting: From ``iter_stylize``.
        preview_s: Seconds between pictures in a notebook, above 0.

    Returns:
        The painting's result.

    Examples:
        >>> result = pochoir.show_progress(pochoir.iter_stylize("photo.jpg", style="mosaic"))  # doctest: +SKIP
    """
    show = _in_notebook(painting, preview_s) if _is_notebook() else _in_terminal(painting)
    try:
        for _ in show:
            pass
    except KeyboardInterrupt:
        if painting.last_step is None:
            raise
    return painting.result()


def _is_notebook() -> bool:
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None else None
    return found is not None and hasattr(found, "kernel")


def _in_notebook(painting: Painting, preview_s: float) -> Iterator[Step]:
    """Yield the steps, and keep one output of the cell up to date."""
    from IPython.display import HTML, display

    handle: Any = display(HTML(_bar(None, b"")), display_id=True)
    picture, shown_s = b"", 0.0
    for step in painting:
        now_s = time.monotonic()
        if now_s - shown_s >= preview_s:
            picture, shown_s = imaging.encode_preview(step.picture(), PREVIEW_LONG_SIDE_PX), now_s
        handle.update(HTML(_bar(step, picture)))
        yield step
    handle.update(HTML(""))


def _bar(step: Step | None, picture: bytes) -> str:
    if step is None:
        return "<progress></progress> reading the pictures"
    left = f"{step.left_s:.0f} s left, style {step.losses.style:.3f}, content {step.losses.content:.3f}"
    text = html.escape(f"step {step.done} of {step.total}, {left}")
    bar = f'<progress value="{step.done}" max="{step.total}"></progress> {text}'
    shown = base64.b64encode(picture).decode()
    return f'{bar}<br><img alt="the picture so far" src="data:image/png;base64,{shown}">' if picture else bar


def _in_terminal(painting: Painting) -> Iterator[Step]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("painting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("painting", total=None)
        for step in painting:
            progress.update(task, completed=step.done, total=step.total)
            yield step
