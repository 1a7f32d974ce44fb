"""A run that was painted, saved and told."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pochoir._types import Size
from pochoir.cli.console import EXIT_INTERRUPTED, Report
from pochoir.cli.watching import first_interrupt_stops, watch

if TYPE_CHECKING:
    from pochoir.painting import Painting

LONG_S = 20.0
"""A run that takes longer is announced."""


def paint(
    painting: "Painting", out: Path, report: Report, *, save_steps: Path | None = None, keep_interrupted: bool = False
) -> None:
    """Run a painting to its end, save its picture with the record inside, and tell what came out."""
    from pochoir import checkpoints

    if painting.resume(checkpoints.path_beside(out)):
        report.notes([f"resumed after {painting.resumed_steps} steps of a run that was interrupted"])
    with first_interrupt_stops(enabled=keep_interrupted) as was_interrupted:
        for step in watch(painting, quiet=report.quiet, save_to=save_steps):
            if step.done == 1 and step.left_s > LONG_S:
                report.notes([f"about {_describe(step.left_s)} to go, in {painting.expected_bytes / 2**30:.1f} GB"])
            if was_interrupted():
                break
        painting.close()
        result = painting.result()
        result.save(out)
        painting.remove_checkpoint()
    size = Size(*result.composite.shape[-2:])
    notes = (*result.notes, *(["interrupted: this is the best picture so far"] if was_interrupted() else []))
    report.notes(notes)
    report.done(
        f"Saved {out} ({size}) after {sum(result.timings.values()):.0f} s.",
        {
            "outputs": [str(out)],
            "size": size._asdict(),
            "losses": None if result.losses is None else result.losses._asdict(),
            "timings": dict(result.timings),
            "notes": notes,
            "seed": result.recipe.seed,
            "recipe": result.recipe.to_dict(),
        },
    )
    if was_interrupted():
        raise typer.Exit(EXIT_INTERRUPTED)


def _describe(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{seconds:.0f} s"
        if seconds < 100
        else f"{minutes // 60} h {minutes % 60} min"
        if minutes > 99
        else f"{minutes} min"
    )


def input_paths(painting: "Painting") -> list[str]:
    """The files that a painting has read, which its output should not replace."""
    return [file.path for file in painting.scene.sources.files() if file.path is not None]
