"""The metrics by name."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from pochoir._plugins import METRICS, call_plugin, plugin_names
from pochoir.encoders import VGG, load_encoder
from pochoir.errors import OptionError, UnknownNameError
from pochoir.similarity import perceptual
from pochoir.similarity.clip import load_clip
from pochoir.similarity.pixels import ColorDistance, StructuralSimilarity
from pochoir.similarity.protocol import Metric
from pochoir.similarity.shared_encoder import SharedEncoder
from pochoir.similarity.vgg import ContentDistance, GramDistance, VggLikeness

_ON_VGG: dict[str, Callable[[SharedEncoder], Metric]] = {
    "vgg": VggLikeness,
    "content": ContentDistance,
    "gram": GramDistance,
}
_ON_PIXELS: dict[str, Callable[[], Metric]] = {"ssim": StructuralSimilarity, "color": ColorDistance}

NAMES = (*_ON_VGG, *_ON_PIXELS, *perceptual.NAMES, "clip")
"""Names of the metrics; ``clip`` takes a network after a colon, such as ``clip:ViT-B-32/laion2b_s34b_b79k``."""

MetricSource: TypeAlias = str | Metric
"""A metric's name, or a metric of the user's own."""


def metric_names() -> tuple[str, ...]:
    """Return the names of all metrics: pochoir's own, and those of other packages' entry points ``pochoir.metrics``."""
    return (*NAMES, *(name for name in plugin_names(METRICS) if name not in NAMES))


def create_metrics(
    sources: Sequence[MetricSource], *, device: str = "cpu", encoder: VGG | None = None
) -> tuple[Metric, ...]:
    """Return metrics that are ready to use; the network that several share is loaded once.

    Args:
        sources: Names or metrics.
        device: Device that networks run on.
        encoder: Network to use instead of VGG19, for tests and experiments.

    Raises:
        UnknownNameError: There is no metric of that name.
        OptionError: None is given, or one is given twice.
        WeightsMissingError: A network's weights are not in the cache.
        MissingExtraError: A metric needs a package that is not installed.
        PluginError: A metric of another package cannot be used.
    """
    for source in sources:
        if isinstance(source, str) and source not in metric_names() and not source.startswith("clip:"):
            raise UnknownNameError("metric", source, metric_names())
    names = [source if isinstance(source, str) else source.name for source in sources]
    if not names or len(set(names)) != len(names):
        raise OptionError(f"Name at least one metric, and each of them once; got {', '.join(names) or 'none'}.")
    if encoder is None and any(source in _ON_VGG for source in sources if isinstance(source, str)):
        encoder = load_encoder("vgg19", device=device)
    shared = None if encoder is None else SharedEncoder(encoder)
    return tuple(_create(item, device, shared) if isinstance(item, str) else item for item in sources)


def _create(name: str, device: str, encoder: SharedEncoder | None) -> Metric:
    if encoder is not None and name in _ON_VGG:
        return _ON_VGG[name](encoder)
    if name in _ON_PIXELS:
        return _ON_PIXELS[name]()
    if name in perceptual.NAMES:
        return perceptual.load_perceptual(name, device=device)
    if name in plugin_names(METRICS):
        made: Metric = call_plugin(METRICS, name, device)
        return made
    return load_clip(name, device=device)
