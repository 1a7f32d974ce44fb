"""Scores of pairs of pictures: each view is made and described once, then compared."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pochoir import imaging
from pochoir._types import Size
from pochoir.encoders import VGG
from pochoir.imaging import PictureSource
from pochoir.similarity.cache import FeatureCache
from pochoir.similarity.protocol import Features, Metric, View
from pochoir.similarity.registry import MetricSource, create_metrics
from pochoir.similarity.views import Exhibit, Framing

OTHER_BACKDROPS = ("#000000", "#808080", "#ffffff")
"""Backdrops on which a score is repeated if it depends on the backdrop, to show how much."""
DEFAULT_METRICS = ("vgg",)
_BATCH = 8
_Described: TypeAlias = dict[tuple[str, str], Features]
"""Descriptions by the metric's name and the view's key."""


@dataclass(frozen=True)
class Score:
    """Similarity of two pictures by one metric.

    Attributes:
        metric: The metric's name.
        value: Its number: 100 times the cosine for ``vgg`` and ``clip``, at most 1 for ``ssim``, else a distance.
        closer: Direction of the metric: whether a ``"higher"`` or a ``"lower"`` value means more alike.
        cosine: Cosine of the two descriptions; None where they are not vectors.
        euclidean: Distance of the two descriptions; None where they are not vectors.
        backdrops: Values on other backdrops; empty where the backdrop is not seen.
    """

    metric: str
    value: float
    closer: str
    cosine: float | None = None
    euclidean: float | None = None
    backdrops: Mapping[str, float] = field(default_factory=dict)

    @property
    def backdrop_shift(self) -> float:
        """Largest change of the value on another backdrop; 0 where the backdrop is not seen."""
        return max((abs(value - self.value) for value in self.backdrops.values()), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain values."""
        return dataclasses.asdict(self) | {"backdrop_shift": self.backdrop_shift}


class Scorer:
    """Scores pictures; each picture is described once, however often it is compared.

    Args:
        metrics: Names (see ``similarity.NAMES``) or metrics of your own.
        part: Part that is scored: ``"all"``, ``"subject"``, ``"background"`` or ``"edge"``.
        backdrop: Colour behind cutouts and in place of the parts that are not scored; the same for every picture.
        other_backdrops: Backdrops to repeat the score on where the backdrop is seen; empty repeats nothing.
        most_pixels: Upper limit of the area that pictures are scaled to. Give the area of the smallest picture:
            enlarged, it would lack the detail that the others have.
        device: Device that networks run on.
        encoder: Network to use instead of VGG19.
        cache: Cache of descriptions; several scorers can share one.

    Raises:
        InputError: A name or a colour cannot be used.
        WeightsMissingError: A network's weights are missing.
        MissingExtraError: A metric needs a package that is not installed.
    """

    def __init__(
        self,
        metrics: Sequence[MetricSource] = DEFAULT_METRICS,
        *,
        part: str = "all",
        backdrop: str = "#808080",
        other_backdrops: Sequence[str] = OTHER_BACKDROPS,
        most_pixels: int | None = None,
        device: str = "cpu",
        encoder: VGG | None = None,
        cache: FeatureCache | None = None,
    ) -> None:
        self.framing = Framing(part, backdrop)
        self._elsewhere = [Framing(part, other) for other in other_backdrops if other != backdrop]
        self.metrics = create_metrics(metrics, device=device, encoder=encoder)
        self._cache = cache or FeatureCache()
        self._pixels = {metric.name: _least(metric.pixels, most_pixels) for metric in self.metrics}
        # Only a GPU gains from batches; the features of many pictures at once would take memory.
        self._at_once = 1 if device == "cpu" else _BATCH

    @property
    def backdrops(self) -> tuple[str, ...]:
        """Colours that pictures are scored on, the scorer's own first."""
        return (self.framing.backdrop, *(framing.backdrop for framing in self._elsewhere))

    def score(
        self,
        one: PictureSource,
        other: PictureSource,
        *,
        mask: PictureSource | None = None,
        other_mask: PictureSource | None = None,
    ) -> tuple[Score, ...]:
        """Score one pair.

        Args:
            one: Path, PIL image, array, tensor or ``Picture``.
            other: Likewise.
            mask: The subject of ``one``, white is subject; resized if its size differs.
            other_mask: The subject of ``other``; None takes ``mask`` for both.

        Returns:
            One score for each metric, in their order.

        Raises:
            InputError: A picture cannot be read, or the part to score is empty or unknown.
        """
        pair = read_exhibit(one, mask), read_exhibit(other, mask if other_mask is None else other_mask)
        return self.score_pairs([pair])[0]

    def score_pairs(self, pairs: Iterable[tuple[Exhibit, Exhibit]]) -> list[tuple[Score, ...]]:
        """Score many pairs of pictures that were read before; return one score for each pair and metric."""
        framings = (self.framing, *self._elsewhere)
        scored: list[tuple[Score, ...]] = []
        for batch in _batches(pairs):
            exhibits = [exhibit for pair in batch for exhibit in pair]
            described = [self._describe(exhibits, framing) for framing in framings]
            scored += [tuple(self._compare(metric, pair, described) for metric in self.metrics) for pair in batch]
        return scored

    def _compare(self, metric: Metric, pair: tuple[Exhibit, Exhibit], described: Sequence[_Described]) -> Score:
        measures = {}
        for framing, features in zip((self.framing, *self._elsewhere), described, strict=True):
            one, other = (
                features[metric.name, exhibit.key(framing, pixels=self._pixels[metric.name])] for exhibit in pair
            )
            measures[framing] = metric.compare(one, other)
        here = measures.pop(self.framing)
        backdrops = {
            framing.backdrop: measure.value
            for framing, measure in measures.items()
            if any(exhibit.key(framing) != exhibit.key(self.framing) for exhibit in pair)
        }
        return Score(metric.name, here.value, metric.closer, here.cosine, here.euclidean, backdrops)

    def _describe(self, exhibits: Sequence[Exhibit], framing: Framing) -> _Described:
        described: _Described = {}
        for pixels in dict.fromkeys(self._pixels.values()):
            metrics = {metric.name: metric for metric in self.metrics if self._pixels[metric.name] == pixels}
            by_key = {exhibit.key(framing, pixels=pixels): exhibit for exhibit in exhibits}
            missing: dict[tuple[Size, tuple[str, ...]], list[View]] = {}
            for key, exhibit in by_key.items():
                kept = {name: self._cache.get(name, key) for name in metrics}
                described |= {(name, key): found for name, found in kept.items() if found is not None}
                wanting = tuple(name for name, found in kept.items() if found is None)
                if wanting:
                    view = exhibit.view(framing, pixels=pixels)
                    missing.setdefault((view.size, wanting), []).append(view)
            for (_, wanting), views in missing.items():
                described |= self._describe_views([metrics[name] for name in wanting], views)
        return described

    def _describe_views(self, metrics: Sequence[Metric], views: Sequence[View]) -> _Described:
        described: _Described = {}
        for at in range(0, len(views), self._at_once):
            chunk = views[at : at + self._at_once]
            for metric in metrics:  # one after the other on the same views, which share one pass of their network
                for view, features in zip(chunk, metric.describe(chunk), strict=True):
                    self._cache.put(metric.name, view.key, features)
                    described[metric.name, view.key] = features
        return described


def score(
    one: PictureSource,
    other: PictureSource,
    *,
    metrics: Sequence[MetricSource] = DEFAULT_METRICS,
    mask: PictureSource | None = None,
    other_mask: PictureSource | None = None,
    part: str = "all",
    backdrop: str = "#808080",
    other_backdrops: Sequence[str] = OTHER_BACKDROPS,
    most_pixels: int | None = None,
    device: str = "cpu",
    encoder: VGG | None = None,
) -> tuple[Score, ...]:
    """Score one pair of pictures; for many pairs use a ``Scorer``, which describes each picture once.

    Args:
        one: Path, PIL image, array, tensor or ``Picture``.
        other: Likewise.
        metrics: Names or metrics of your own.
        mask: The subject of ``one``.
        other_mask: The subject of ``other``; None takes ``mask`` for both.
        part: As for ``Scorer``.
        backdrop: As for ``Scorer``.
        other_backdrops: As for ``Scorer``.
        most_pixels: As for ``Scorer``; None takes the smaller picture's area.
        device: As for ``Scorer``.
        encoder: As for ``Scorer``.

    Returns:
        One score for each metric, in their order.

    Raises:
        InputError: Something that was given cannot be used.
        WeightsMissingError: A network's weights are missing.
        MissingExtraError: A metric needs a package that is not installed.
    """
    pair = read_exhibit(one, mask), read_exhibit(other, mask if other_mask is None else other_mask)
    scorer = Scorer(
        metrics,
        part=part,
        backdrop=backdrop,
        other_backdrops=other_backdrops,
        most_pixels=most_pixels or min(exhibit.picture.size.pixels for exhibit in pair),
        device=device,
        encoder=encoder,
    )
    return scorer.score_pairs([pair])[0]


def read_exhibit(picture: PictureSource, mask: PictureSource | None = None) -> Exhibit:
    """Read a picture and its mask, which is resized to the picture if its size differs.

    Raises:
        ImageReadError: One of them cannot be read.
    """
    read = imaging.load(picture, role="picture")
    return Exhibit(read, None if mask is None else imaging.load_matte(mask, size=read.size))


def _least(pixels: int | None, most: int | None) -> int | None:
    return pixels if pixels is None or most is None else min(pixels, most)


def _batches(pairs: Iterable[tuple[Exhibit, Exhibit]]) -> Iterator[list[tuple[Exhibit, Exhibit]]]:
    remaining = iter(pairs)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch
