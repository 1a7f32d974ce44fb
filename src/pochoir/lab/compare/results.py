"""Results of a comparison: its rows, their means, its charts and pictures."""

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
from pochoir.lab.compare.charts import agreement_chart, scores_chart
from pochoir.lab.compare.cutouts import PASTICHE, PHOTO, Comparison, FailureRow
from pochoir.lab.compare.jitter import JitterRow
from pochoir.lab.compare.overlap import OverlapRow
from pochoir.lab.compare.scores import ScoreRow
from pochoir.lab.compare.sheets import methods_sheet, stages_sheet
from pochoir.lab.compare.summary import Mean, Shift, summarize_scores, summarize_shifts, summarize_truths
from pochoir.lab.compare.weakness_charts import jitter_chart, overlap_chart


@dataclass(frozen=True, eq=False)
class Results:
    """Results of a run.

    Attributes:
        comparisons: Results photo by photo.
        backdrop: Colour behind every cut-out.
        closer: For each metric whether ``"higher"`` or ``"lower"`` means more alike.
        style: The style picture.
        overlap: Rows of the drawn scenes; empty if they were not asked for.
        jitter: Rows of the moved boxes; empty if they were not asked for.
        settings: Settings of the run, plain values for the summary.
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
        """Picture in which Table 1's mattes were found, and picture that they cut: the pastiche if there is one."""
        place = PASTICHE if any(PASTICHE in item.pictures for item in self.comparisons) else PHOTO
        return place, place

    @property
    def score_rows(self) -> list[ScoreRow]:
        """Similarity scores of all photos."""
        return [row for item in self.comparisons for row in item.scores]

    @property
    def failures(self) -> list[FailureRow]:
        """Mattes that are empty or full."""
        return [row for item in self.comparisons for row in item.failures]

    @cached_property
    def scores(self) -> list[Mean]:
        """Means of the similarity scores."""
        return summarize_scores(self.score_rows, self.failures)

    @cached_property
    def truths(self) -> list[Mean]:
        """Means of the measures against the truth."""
        return summarize_truths([row for item in self.comparisons for row in item.truths], self.failures)

    @cached_property
    def shifts(self) -> list[Shift]:
        """Effect of another backdrop on Table 1."""
        return summarize_shifts(self.score_rows, way=self.way, backdrop=self.backdrop, closer=self.closer)

    @cached_property
    def charts(self) -> dict[str, bytes]:
        """All charts by the name of their file, as SVG."""
        drawn = {}
        for metric in self.closer:
            means = [mean for mean in self.scores if mean.measure.startswith(f"{metric}: ")]
            if means:
                drawn[chart_name(metric)] = scores_chart(means, metric=metric, way=self.way)
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


def summarize(results: Results) -> dict[str, Any]:
    """Return the run as plain values: its settings, its means, tests and failures."""
    return {
        "settings": {**results.settings, "backdrop": results.backdrop},
        "photos": [item.subject.name for item in results.comparisons],
        "scores": [mean.to_dict() for mean in results.scores],
        "truth": [mean.to_dict() for mean in results.truths],
        "failures": [dataclasses.asdict(row) for row in results.failures],
        "backdrops": [dataclasses.asdict(shift) for shift in results.shifts],
        "notes": [note for item in results.comparisons for note in item.notes],
    }


def tables(results: Results) -> dict[str, list[dict[str, Any]]]:
    """Return all rows by the name of their file, as flat values."""
    items = results.comparisons
    return {
        "scores": [_flat_score(dataclasses.asdict(row)) for row in results.score_rows],
        "truth": [
            {"photo": row.photo, "method": row.method, "seen": row.seen, **dataclasses.asdict(row.scores)}
            for item in items
            for row in item.truths
        ],
        "failures": [dataclasses.asdict(row) for row in results.failures],
        "agreement": [dataclasses.asdict(row) for item in items for row in item.agreements],
        "overlap": [dataclasses.asdict(row) for row in results.overlap],
        "jitter": [dataclasses.asdict(row) for row in results.jitter],
    }


def to_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as a CSV file; a column that only some rows have is empty in the others."""
    columns = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def chart_name(metric: str) -> str:
    """Return the name of the file of a metric's chart."""
    return "scores-" + "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in metric)


def _flat_score(values: dict[str, Any]) -> dict[str, Any]:
    elsewhere = values.pop("elsewhere")
    return values | {f"on {ground}": value for ground, value in elsewhere.items()}
