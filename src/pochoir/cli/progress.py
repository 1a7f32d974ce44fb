"""Progress bars."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pochoir.cli.console import Report, stderr

if TYPE_CHECKING:
    from pochoir.jobs import Event
    from pochoir.jobs.progress import BatchProgress
    from pochoir.transfer import Step

WAITING = "reading the pictures"
"""Text of the bar before the first step."""


def progress_bar(report: Report) -> Progress:
    """Return a bar with the number of items done and the time left; hidden where nobody would see it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # The speed of the last hour gives the time left: one item may take minutes.
    return Progress(
        *columns, console=stderr, transient=True, disable=_is_hidden(report.quiet), speed_estimate_period=3600
    )


class PaintingBar:
    """Bar of one painting: its scale, its losses and the time left.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}"),
            TextColumn("{task.fields[left]}"),
            console=stderr,
            transient=True,
            disable=_is_hidden(quiet),
        )
        self._task: TaskID = self._progress.add_task(WAITING, total=None, losses="", left="")

    def __enter__(self) -> "PaintingBar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(
        self, *, scale: str, done: int, total: int, style: float, content: float, left_s: float | None = None
    ) -> None:
        """Show a step."""
        losses = f"style {style:.3f}, content {content:.3f}"
        left = _describe_left(left_s)
        self._progress.update(self._task, description=scale, completed=done, total=total, losses=losses, left=left)

    def show_event(self, event: "Event") -> None:
        """Show a ``Progress`` event of a painting, a clip or a video; others change nothing."""
        from pochoir._types import Size
        from pochoir.jobs import Progress as Step

        if not isinstance(event, Step):
            return
        facts = event.facts
        done, total = facts.get("step", event.done), facts.get("steps", event.total)
        if "losses" in facts:
            scale = f"scale {facts['scale']} of {facts['scales']}, {Size(**facts['size'])}"
            losses = facts["losses"]
            style, content = losses["style"], losses["content"]
            self.show(scale=scale, done=done, total=total, style=style, content=content, left_s=event.left_s)
        else:
            left = _describe_left(event.left_s)
            self._progress.update(
                self._task, description=event.stage, completed=done, total=total, losses="", left=left
            )


def watch(steps: Iterable["Step"], *, quiet: bool) -> Iterator["Step"]:
    """Yield the steps of a painting and show them in a bar."""
    with PaintingBar(quiet=quiet) as bar:
        for step in steps:
            bar.show(
                scale=f"scale {step.scale} of {step.scales}, {step.size}",
                done=step.done,
                total=step.total,
                style=step.losses.style,
                content=step.losses.content,
                left_s=step.left_s,
            )
            yield step


class BatchBar:
    """Bar of a batch: jobs done, the last photo, and the time left for all jobs.

    Args:
        total: Number of jobs.
        quiet: Show nothing.
    """

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.fields[count]}"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.description}"),
            console=stderr,
            transient=True,
            disable=_is_hidden(quiet),
        )
        self._task = self._progress.add_task(WAITING, total=total, count=f"0/{total}", left="")

    def __enter__(self) -> "BatchBar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, batch: "BatchProgress", name: str) -> None:
        """Show the state of the batch, and the photo that something happened to."""
        left = _describe_left(batch.left_s)
        count = f"{batch.done}/{batch.total}"
        self._progress.update(self._task, completed=batch.units, count=count, left=left, description=name)


def describe_duration(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes > 99 else f"{minutes} min"


def describe_count(count: int, noun: str) -> str:
    """Return a number of things with their noun, such as ``1 frame`` or ``2 frames``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _describe_left(left_s: float | None) -> str:
    return "" if left_s is None else f"{describe_duration(left_s)} left"


def _is_hidden(quiet: bool) -> bool:
    return quiet or not stderr.is_terminal
