"""Segmenters by name."""

from collections.abc import Callable

import torch

from pochoir import weights
from pochoir._plugins import SEGMENTERS, call_plugin, plugin_names
from pochoir.errors import OptionError, UnknownNameError, WeightsMissingError
from pochoir.recipe import REMBG_PREFIX, SegmentSettings
from pochoir.segmentation.grabcut import GrabCutSegmenter
from pochoir.segmentation.protocol import Segmenter
from pochoir.segmentation.rembg_sessions import MODELS, RembgSegmenter
from pochoir.segmentation.u2net.predictor import U2NetSegmenter

_BOX_FINDERS = ("u2net", "u2netp")  # the better one first: GrabCut never looks outside its box


def create_segmenter(settings: SegmentSettings, *, device: str | torch.device = "cpu", many: bool = False) -> Segmenter:
    """Load the segmenter that the settings name.

    A name that another package has registered under the entry points ``pochoir.segmenters`` builds that package's
    segmenter. ``rembg:NAME`` runs in the rembg package, on the device that its onnxruntime is for. GrabCut without a
    box looks for one with U2-Net or U2-Net-p if their weights are in the cache.

    Args:
        settings: Which segmenter, and its options.
        device: Where networks run.
        many: Whether it is for many photos; see ``U2NetSegmenter``.

    Raises:
        UnknownNameError: There is no segmenter of that name.
        WeightsError: The network's weights are not in the cache, or cannot be read.
        MissingExtraError: It is one of rembg's, and that package is not installed.
        OptionError: Only weights for commercial use are wanted, and the segmenter's are not known to be.
        PluginError: It is another package's, and cannot be used.
    """
    if settings.commercial_safe:
        check_terms(settings)
    if settings.segmenter.startswith(REMBG_PREFIX):
        return RembgSegmenter(settings.segmenter.removeprefix(REMBG_PREFIX))
    if settings.segmenter in SEGMENTER_BUILDERS:
        return SEGMENTER_BUILDERS[settings.segmenter](settings, device, many)
    if settings.segmenter not in plugin_names(SEGMENTERS):
        raise UnknownNameError("segmenter", settings.segmenter, (*SEGMENTER_BUILDERS, *plugin_names(SEGMENTERS)))
    made: Segmenter = call_plugin(SEGMENTERS, settings.segmenter, settings, str(device))
    return made


def check_terms(settings: SegmentSettings) -> None:
    """Refuse a segmenter whose weights are not known to allow commercial use.

    Raises:
        OptionError: Their terms forbid it or are not known.
    """
    name = settings.segmenter
    if name in SEGMENTER_BUILDERS:
        for used in weights_of(settings):
            weights.check_terms(used)
        return
    model = MODELS.get(name.removeprefix(REMBG_PREFIX)) if name.startswith(REMBG_PREFIX) else None
    if model is None or not model.is_for_everyone:
        terms = "of terms that pochoir does not know" if model is None else f"({model.licence}) for non-commercial use"
        raise OptionError(
            f"The weights of {name} are {terms}; choose another segmenter, or leave --commercial-safe out."
        )


def weights_of(settings: SegmentSettings) -> tuple[str, ...]:
    """Return the names of the weight files that the settings' segmenter uses, of those in the cache."""
    names: tuple[str, ...] = (settings.segmenter,) if settings.segmenter in weights.TABLE else ()
    if settings.segmenter == "grabcut" and settings.box is None:
        names = _BOX_FINDERS
    for name in names:
        try:
            weights.where(name)
        except WeightsMissingError:
            continue
        return (name,)
    return ()


def _u2net(settings: SegmentSettings, device: str | torch.device, many: bool) -> Segmenter:
    return U2NetSegmenter.from_file(
        weights.where(settings.segmenter),
        name=settings.segmenter,
        device=device,
        preprocess=settings.preprocess,
        with_detail=settings.refine == "best",
        many=many,
    )


def _grabcut(settings: SegmentSettings, device: str | torch.device, many: bool) -> Segmenter:
    finder = _box_finder(device, many) if settings.box is None else None
    return GrabCutSegmenter(box=settings.box, finder=finder, iterations=settings.grabcut_iterations)


def _box_finder(device: str | torch.device, many: bool) -> Segmenter | None:
    for name in _BOX_FINDERS:
        try:
            return U2NetSegmenter.from_file(weights.where(name), name=name, device=device, many=many)
        except WeightsMissingError:
            continue
    return None


SEGMENTER_BUILDERS: dict[str, Callable[[SegmentSettings, str | torch.device, bool], Segmenter]] = {
    "u2net": _u2net,
    "u2netp": _u2net,
    "grabcut": _grabcut,
}
"""Builders of segmenters by name, from the settings, a device, and whether many photos will follow."""
