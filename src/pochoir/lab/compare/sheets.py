"""Contact sheets of a comparison: the student report's Figures 6 and 7."""

from torch import Tensor

from pochoir import imaging
from pochoir.imaging import Picture
from pochoir.lab.compare.cutouts import PHOTO, TRUTH, Comparison
from pochoir.lab.compare.methods import BASELINE
from pochoir.similarity import Exhibit, Framing

_TILE_PX = 176


def methods_sheet(comparison: Comparison, *, backdrop: str, tile_px: int = _TILE_PX) -> Tensor:
    """Lay every method's matte and cut-outs side by side: the report's Figure 7.

    Args:
        comparison: One photo.
        backdrop: Colour behind every cut-out.
        tile_px: Long side of each picture.

    Returns:
        One picture, shape (1, 3, H, W).
    """
    tiles: list[tuple[str, Tensor | None]] = []
    ways = [(seen, cut) for seen in comparison.pictures for cut in comparison.pictures]
    failed = {(row.method, row.seen): row.kind for row in comparison.failures}
    for method in comparison.found[PHOTO]:
        for seen, cut in ways:
            if cut == PHOTO:
                tiles.append((f"{method}, seen in {seen}", _as_rgb(comparison.found[seen][method].matte)))
            if (method, seen) in failed:
                tiles.append((f"failed: {failed[method, seen]}", None))
            else:
                tiles.append((f"cut from the {cut}", _on_backdrop(comparison.cuts[method, seen, cut], backdrop)))
    return imaging.contact_sheet(tiles, columns=len(ways) + len(comparison.pictures), tile_px=tile_px)


def stages_sheet(
    comparison: Comparison, *, backdrop: str, style: Picture | None = None, tile_px: int = _TILE_PX
) -> Tensor:
    """Lay the input pictures beside U2-Net's fused map and its six side outputs: the report's Figure 6.

    Args:
        comparison: One photo.
        backdrop: Colour behind the true cut-outs.
        style: The style picture.
        tile_px: Long side of each picture.

    Returns:
        One picture, shape (1, 3, H, W).
    """
    tiles: list[tuple[str, Tensor | None]] = []
    for seen, picture in comparison.pictures.items():
        stages = comparison.found[seen][BASELINE].stages
        tiles += [(seen, picture.rgb), *((caption, _as_rgb(stage)) for caption, stage in stages)]
    columns = len(tiles) // len(comparison.pictures)
    tiles += [] if style is None else [("style", style.rgb)]
    truth = comparison.subject.truth
    if truth is not None:
        tiles.append(("truth", _as_rgb(truth)))
        for cut in comparison.pictures:
            tiles.append((f"truth cut, {cut}", _on_backdrop(comparison.cuts[TRUTH, "", cut], backdrop)))
    return imaging.contact_sheet(tiles, columns=columns, tile_px=tile_px)


def _on_backdrop(cut: Picture, backdrop: str) -> Tensor:
    """Return a cut-out as it is scored, shape (1, 3, H, W)."""
    return Exhibit(cut).view(Framing(backdrop=backdrop)).rgb


def _as_rgb(matte: Tensor) -> Tensor:
    return matte.expand(-1, 3, -1, -1)
