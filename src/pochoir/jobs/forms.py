"""Pictures of a subject that was found, in each form that can be saved."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pochoir.errors import OptionError
from pochoir.recipe import Form

if TYPE_CHECKING:
    from torch import Tensor

    from pochoir.compositing import Framing
    from pochoir.imaging import Picture
    from pochoir.segmentation import Segmentation


def framing_of(form: Form) -> "Framing":
    """Return the framing of a cutout.

    Raises:
        OptionError: The margin leaves no room inside the size.
    """
    from pochoir.compositing import Framing

    return Framing(
        trim=form.trim,
        pad_px=form.pad.px,
        pad_share=form.pad.share,
        long_side_px=form.size,
        square=form.square,
    )


def draw(form: Form, picture: "Picture", found: "Segmentation") -> "Tensor":
    """Return the picture to save, shape (1, 3, H, W) or, with alpha, (1, 4, H, W)."""
    return _DRAWN[form.name](picture, found, form)


def _matte(picture: "Picture", found: "Segmentation", form: Form) -> "Tensor":
    return found.matte.expand(-1, 3, -1, -1)


def _cutout(picture: "Picture", found: "Segmentation", form: Form) -> "Tensor":
    import torch

    from pochoir import compositing

    cutout = compositing.cutout(picture.rgb, found.matte)
    if form.shadow == "keep":
        cutout = compositing.lay_shadow(cutout, compositing.contact_shadow(picture.rgb, found.matte))
    framed = compositing.frame(cutout, framing_of(form))
    color = form.backdrop.color
    if color is None:
        return framed
    ground = torch.tensor(color, dtype=framed.dtype).view(1, 3, 1, 1) / 255
    return compositing.alpha_over(framed[:, :3], ground.expand_as(framed[:, :3]), framed[:, 3:])


def _trimap(picture: "Picture", found: "Segmentation", form: Form) -> "Tensor":
    from pochoir import segmentation

    return segmentation.trimap(found.matte).expand(-1, 3, -1, -1)


def _overlay(picture: "Picture", found: "Segmentation", form: Form) -> "Tensor":
    from pochoir import segmentation

    return segmentation.overlay(picture.rgb, found.matte)


def _stages(picture: "Picture", found: "Segmentation", form: Form) -> "Tensor":
    from pochoir import imaging

    tiles = [("photo", picture.rgb), *((name, stage.expand(-1, 3, -1, -1)) for name, stage in found.stages)]
    return imaging.contact_sheet(tiles, columns=4, tile_px=320)


def _parts(picture: "Picture", found: "Segmentation", form: Form) -> "Tensor":
    from pochoir import segmentation

    assert found.parts is not None  # noqa: S101  # the segmentation numbers them on request
    return segmentation.show_parts(picture.rgb, found.parts)


def _doubt(picture: "Picture", found: "Segmentation", form: Form) -> "Tensor":
    if found.doubt is None:
        raise OptionError("The matte of a cutout is its own alpha; there is no doubt about it to draw.")
    return found.doubt.map.expand(-1, 3, -1, -1)


_DRAWN: Mapping[str, Callable[["Picture", "Segmentation", Form], "Tensor"]] = {
    "matte": _matte,
    "cutout": _cutout,
    "trimap": _trimap,
    "overlay": _overlay,
    "stages": _stages,
    "parts": _parts,
    "doubt": _doubt,
}
