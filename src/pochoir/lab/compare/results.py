"""All that a comparison has found: its rows, their means, its charts and pictures."""

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from pochoir.imaging import Picture
from pochoir.lab.common import page
from pochoir.lab.compare.compare import PASTICHE, PHOTO, TARGETS, Comparison
from pochoir.lab.compare.figures import agreement_chart, methods_sheet, scores_chart, stages_sheet
from pochoir.lab.compare.jitter import JitterRow
from pochoir.lab.compare.overlap import OverlapRow
from pochoir.lab.compare.summary import Mean, Shift, summarize_scores, summarize_shifts, summarize_truths
from pochoir.lab.compare.weakness_charts import jitter_chart, overlap_chart
from pochoir.similarity import Scorer


@dataclass(frozen=True, eq=False)
class Results:
    """All that a run has found.

    Attributes:
        comparisons: Photo by photo.
        backdrop: Colour behind every cut-out.
        closer: For each metric whether ``"higher"`` or ``"lower"`` means more alike.
        style: The style picture.
        overlap: Rows of the drawn scenes; empty if they were not asked for.
        jitter: Rows of the moved boxes; empty if they were not asked for.
        settings: What the run was made with, plain values for the summary.
    """

    comparisons: Sequence[Comparison]
    backdrop: str
    closer: Mapping[str, str]
    style: Picture | None = None
    overlap: Sequence[OverlapRow] = ()
    jitter: Sequence[JitterRow] = ()
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def way(self) -> tuple[str, str]:
        """Where the mattes of Table 1 were found, and what they cut: the pastiche if there is one, as in the report."""
        place = PASTICHE if any(PASTICHE in item.pictures for item in self.comparisons) else PHOTO
        return place, place

    @cached_property
    def scores(self) -> list[Mean]:
        """Means of the similarity scores."""
        return summarize_scores([row for item in self.comparisons for row in item.scores])

    @cached_property
    def truths(self) -> list[Mean]:
        """Means of the measures against the truth."""
        return summarize_truths([row for item in self.comparisons for row in item.truths])

    @cached_property
    def shifts(self) -> list[Shift]:
        """How far another backdrop would move Table 1."""
        seen, cut = self.way
        rows = [row for item in self.comparisons for row in item.scores]
        return summarize_shifts(rows, seen=seen, cut=cut, backdrop=self.backdrop, closer=dict(self.closer))

    @cached_property
    def charts(self) -> dict[str, bytes]:
        """All charts by the name of their file, as SVG."""
        seen, cut = self.way
        means = self.scores
        drawn = {}
        for metric in self.closer:
            targets = [target for target in TARGETS if any(mean.measure == f"{metric}: {target}" for mean in means)]
            drawn[chart_name(metric)] = scores_chart(means, metric=metric, seen=seen, cut=cut, targets=targets)
        drawn["agreement"] = agreement_chart([row for item in self.comparisons for row in item.agreements])
        if self.overlap:
            drawn["overlap"] = overlap_chart(self.overlap)
        if self.jitter:
            drawn["jitter"] = jitter_chart(self.jitter)
        return {name: page.svg(chart) for name, chart in drawn.items()}

    @cached_property
    def sheets(self) -> dict[str, dict[str, Tensor]]:
        """Each photo's sheets by its name and the sheet's, pictures of shape (1, 3, H, W)."""
        return {
            item.subject.name: {
                "methods": methods_sheet(item, backdrop=self.backdrop),
                "stages": stages_sheet(item, backdrop=self.backdrop, style=self.style),
            }
            for item in self.comparisons
        }


def closer_of(scorer: Scorer) -> dict[str, str]:
    """For each of a scorer's metrics whether higher or lower values mean more alike."""
    return {metric.name: metric.closer for metric in scorer.metrics}


def summarize(results: Results) -> dict[str, Any]:
    """The run as plain values: its settings, its means and tests."""
    return {
        "settings": {**results.settings, "backdrop": results.backdrop},
        "photos": [item.subject.name for item in results.comparisons],
        "scores": [mean.to_dict() for mean in results.scores],
        "truth": [mean.to_dict() for mean in results.truths],
        "backdrops": [dataclasses.asdict(shift) for shift in results.shifts],
        "notes": [note for item in results.comparisons for note in item.notes],
    }


def tables(results: Results) -> dict[str, list[dict[str, Any]]]:
    """All rows by the name of their file, as flat values."""
    items = results.comparisons
    return {
        "scores": [_flat_score(dataclasses.asdict(row)) for item in items for row in item.scores],
        "truth": [
            {"photo": row.photo, "method": row.method, "seen": row.seen, **dataclasses.asdict(row.scores)}
            for item in items
            for row in item.truths
        ],
        "agreement": [dataclasses.asdict(row) for item in items for row in item.agreements],
        "overlap": [dataclasses.asdict(row) for row in results.overlap],
        "jitter": [dataclasses.asdict(row) for row in results.jitter],
    }


def to_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as a CSV file; a column that only some rows have is empty in the others."""
    columns = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def chart_name(metric: str) -> str:
    """Name of the file of a metric's chart."""
    return "scores-" + "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in metric)


def _flat_score(values: dict[str, Any]) -> dict[str, Any]:
    elsewhere = values.pop("elsewhere")
    return values | {f"on {ground}": value for ground, value in elsewhere.items()}
