"""Watching a picture being painted: a progress bar, pictures on the way, and a Ctrl-C that keeps what there is."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pochoir.cli.console import stderr
from pochoir.errors import OutputPathError

if TYPE_CHECKING:
    from pochoir.transfer import Step

MOST_PICTURES = 20
"""About so many pictures are saved on the way: enough to see it come about, not one for each step."""


def watch(steps: Iterable["Step"], *, quiet: bool, save_to: Path | None = None) -> Iterator["Step"]:
    """Pass the steps on, showing a bar on a terminal and saving pictures into a folder if one is given."""
    if save_to is not None:
        make_folder(save_to)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[losses]}"),
        TimeRemainingColumn(),
    )
    hidden = quiet or not stderr.is_terminal
    with Progress(*columns, console=stderr, transient=True, disable=hidden) as progress:
        task = progress.add_task("looking at the pictures", total=None, losses="")
        for step in steps:
            progress.update(
                task,
                description=f"scale {step.scale} of {step.scales}, {step.size}",
                completed=step.done,
                total=step.total,
                losses=f"style {step.losses.style:.3f}, content {step.losses.content:.3f}",
            )
            if save_to is not None:
                _save(step, save_to)
            yield step


def make_folder(folder: Path) -> None:
    """Make a folder for pictures, with its parents, unless it is there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputPathError(f"Cannot make the folder {folder}: {error.strerror or error}.") from error


def check_folder(folder: Path, *, inputs: Iterable[str]) -> None:
    """Find out before a long run whether a picture on the way could replace an input.

    Raises:
        OutputPathError: An input lies in the folder under the name that a picture on the way would get.
    """
    for path in map(Path, inputs):
        if path.match("step-*.png") and os.path.realpath(path.parent) == os.path.realpath(folder):
            raise OutputPathError(
                f"'{path}' is an input and could be overwritten by --save-steps {folder}; "
                "choose another folder or force it (--force)."
            )


def _save(step: "Step", folder: Path) -> None:
    from pochoir import imaging

    every = max(1, step.total // MOST_PICTURES)
    if step.done % every == 0 or step.done == step.total:
        imaging.save(folder / f"step-{step.done:05d}.png", step.picture())


@contextmanager
def first_interrupt_stops(*, enabled: bool) -> Iterator[Callable[[], bool]]:
    """Inside, the first Ctrl-C is only remembered, which the yielded function tells; a second one ends everything.

    So no step is cut in the middle, and the picture at hand is a whole one.
    """
    if not enabled:
        yield lambda: False
        return
    asked: list[int] = []

    def remember(number: int, _frame: Any) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
