"""``pochoir score``: score how alike two pictures are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pochoir.cli.console import AsJson, Quiet, Report, Verbose, print_table
from pochoir.cli.options import Given, takes_settings

if TYPE_CHECKING:
    from pochoir.similarity import Score


@takes_settings(["device", "threads"])
def score(
    one: Annotated[Path, typer.Argument(metavar="A", help="A picture; its transparent parts are not scored.")],
    other: Annotated[Path, typer.Argument(metavar="B", help="The picture to compare it with.")],
    *,
    given: Given,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="M",
            help="vgg (default), content, gram, ssim, color, lpips, lpips:vgg, dists, clip, or a plug-in's.",
        ),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The subject of both pictures: white on black, or alpha.")
    ] = None,
    other_mask: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Subject of B, if it differs from A's.")
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(
            metavar="all|subject|background|edge", help="Part to score (default: subject with a mask, else all)."
        ),
    ] = None,
    backdrop: Annotated[
        str, typer.Option(metavar="COLOR", help="Colour behind cutouts, and in place of parts that are not scored.")
    ] = "#808080",
    style: Annotated[
        str | None, typer.Option(metavar="S", help="A style, file or built-in name, to score A with for comparison.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Score how alike two pictures are, together with baseline scores that show the scale.

    vgg and clip are 100 times a cosine and compare what is shown, not how it is painted. content and gram are the
    distances of content and style that style transfer minimises. lpips and dists are distances trained on
    people's judgement. ssim compares structure, color compares colours.

    Each score stands beside those of A with itself, with noise and with another photo, cut out as A is.

    Where transparency or a part is scored, the score is repeated on other backdrops.
    """
    import torch

    from pochoir import similarity, sources
    from pochoir._devices import resolve_device
    from pochoir._threads import torch_threads

    recipe = given.recipe()
    first = similarity.read_exhibit(one, mask)
    second = similarity.read_exhibit(other, mask if other_mask is None else other_mask)
    scorer = similarity.Scorer(
        metrics or similarity.DEFAULT_METRICS,
        part=part or ("all" if mask is None else "subject"),
        backdrop=backdrop,
        most_pixels=min(first.picture.size.pixels, second.picture.size.pixels),
        device=resolve_device(recipe.device),
    )
    look = None if style is None else sources.load_style(style)
    with torch_threads(recipe.threads or torch.get_num_threads()):
        (scores,) = scorer.score_pairs([(first, second)])
        nulls = similarity.score_nulls(scorer, first, style=look)
    report = Report(quiet, as_json)
    report.notes(dict.fromkeys([*first.notes, *second.notes]))
    if as_json:
        told = [
            {**each.to_dict(), "nulls": {name: row[index].value for name, row in nulls.items()}}
            for index, each in enumerate(scores)
        ]
        facts = {"pictures": [str(one), str(other)], "part": scorer.framing.part, "backdrop": backdrop, "scores": told}
        report.done("", facts)
    elif not quiet:
        _print(scores, nulls)


def _print(scores: "Sequence[Score]", nulls: "Mapping[str, Sequence[Score]]") -> None:
    headings = ("metric", "score", "alike is", "cosine", "Euclidean", "other backdrop", *nulls)
    rows = [
        (
            each.metric,
            _number(each.value),
            each.closer,
            _number(each.cosine),
            _number(each.euclidean),
            f"±{_number(each.backdrop_shift)}" if each.backdrops else "",
            *(_number(row[index].value) for row in nulls.values()),
        )
        for index, each in enumerate(scores)
    ]
    print_table(*headings, rows=rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
