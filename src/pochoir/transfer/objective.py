"""The objective of one scale, with the layers that fit its size."""

from collections.abc import Mapping

from pochoir.encoders import VGG
from pochoir.errors import ShapeError
from pochoir.recipe import TransferSettings
from pochoir.transfer.criterion import Criterion, StyledRegion
from pochoir.transfer.pyramid import Level
from pochoir.transfer.targets import StyleTargets, style_grams


def build_criterion(
    level: Level,
    *,
    encoder: VGG,
    settings: TransferSettings,
    gain: float,
    shown: Mapping[str, float],
    targets: StyleTargets | None = None,
) -> tuple[Criterion, tuple[str, ...]]:
    """Build the objective of a scale.

    Args:
        level: Photo and regions at this scale.
        encoder: The network.
        settings: Weights and layers. Layers whose positions are larger than the picture are left out.
        gain: Factor on the content weight.
        shown: Pixels that the encoder is shown: ``most_px`` and ``largest_px`` of ``Criterion``.
        targets: Cache of the styles' matrices.

    Returns:
        The objective, and notes on what was left out.

    Raises:
        ShapeError: No layer fits.
    """
    short_side = min(level.margin.crop(level.photo).shape[-2:])
    treatments = [region.treatment or settings.treatment for region in level.regions]
    asked = tuple(dict.fromkeys(name for treatment in treatments for name in treatment.content_layers))

    def fitting_of(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if encoder.stride(name) <= short_side)

    content_layers, style_layers = fitting_of(asked), fitting_of(settings.style_layers)
    if not content_layers and not style_layers:
        needed = min(encoder.stride(name) for name in (*asked, *settings.style_layers))
        raise ShapeError(
            f"A picture whose short side is {short_side} pixels is too small for the layers asked for: "
            f"it must be at least {needed}. Use a larger --size or shallower layers."
        )
    fitting = settings.replace(content_layers=content_layers, style_layers=style_layers)
    regions = [
        StyledRegion(
            region.matte,
            style_grams(
                [level.scale_style(style) for style in region.samples],
                encoder,
                fitting.style_layers,
                targets=targets,
                **shown,
            ),
            treatment._replace(content_layers=fitting_of(treatment.content_layers)),
        )
        for region, treatment in zip(level.regions, treatments, strict=True)
    ]
    criterion = Criterion(
        level.photo,
        regions,
        encoder,
        fitting,
        content_gain=gain,
        frame_px=level.frame_px,
        margin=level.margin,
        emphasis=level.emphasis,
        anchors=level.anchors,
        **shown,
    )
    dropped = [name for name in (*asked, *settings.style_layers) if encoder.stride(name) > short_side]
    note = f"{short_side} px on the short side are too small for {', '.join(dropped)}; these layers are left out"
    return criterion, (note, *criterion.notes) if dropped else criterion.notes
