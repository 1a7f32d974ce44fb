"""The forms in which a subject that was found can be saved."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pochoir.errors import OptionError, UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor

    from pochoir.compositing import Framing
    from pochoir.imaging import Picture
    from pochoir.segmentation import Segmentation

SHADOWS = ("keep", "drop")


@dataclass(frozen=True, kw_only=True)
class Form:
    """What to save of a subject, as it was typed.

    Attributes:
        name: One of ``FORMS``.
        trim: Cut a cutout to the subject.
        pad: Margin around a cutout: pixels, or a share with a percent sign.
        size: Long side of a cutout in pixels; None keeps the photo's scale.
        shadow: What becomes of the shadow beside the subject: one of ``SHADOWS``.
    """

    name: str = "matte"
    trim: bool = False
    pad: str = "0"
    size: int | None = None
    shadow: str = "drop"

    def __post_init__(self) -> None:
        if self.name not in FORMS:
            raise UnknownNameError("form", self.name, FORMS)
        if self.shadow not in SHADOWS:
            raise UnknownNameError("shadow", self.shadow, SHADOWS)
        if self.name != "cutout" and (self.trim or self.pad != "0" or self.size is not None or self.shadow != "drop"):
            raise OptionError("--trim, --pad, --size and --shadow are for cutouts; add --as cutout.")

    @property
    def has_alpha(self) -> bool:
        """Whether the picture is transparent somewhere."""
        return self.name == "cutout"

    def framing(self) -> "Framing":
        """How a cutout is to fill its picture.

        Raises:
            OptionError: A value cannot be read or is out of bounds.
        """
        from pochoir.compositing import Framing

        return Framing.parse(self.pad, trim=self.trim, long_side_px=self.size)

    def draw(self, picture: "Picture", found: "Segmentation") -> "Tensor":
        """The picture to save, shape (1, 3, H, W) or, with alpha, (1, 4, H, W)."""
        return FORMS[self.name](picture, found, self)

    def to_dict(self) -> dict[str, Any]:
        """Everything that the picture depends on, as plain values."""
        return asdict(self)


def _matte(picture: "Picture", found: "Segmentation", form: Form) -> "Tensor":
    return found.matte.expand(-1, 3, -1, -1)


def _cutout(picture: "Picture", found: "Segmentation", form: Form) -> "Tensor":
    from pochoir import compositing

    cutout = compositing.cutout(picture.rgb, found.matte)
    if form.shadow == "keep":
        cutout = compositing.lay_shadow(cutout, compositing.contact_shadow(picture.rgb, found.matte))
    return compositing.frame(cutout, form.framing())


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

    assert found.parts is not None  # noqa: S101  # finding was told to number them
    return segmentation.show_parts(picture.rgb, found.parts)


def _doubt(picture: "Picture", found: "Segmentation", form: Form) -> "Tensor":
    assert found.doubt is not None  # noqa: S101  # finding was told to measure it
    return found.doubt.map.expand(-1, 3, -1, -1)


FORMS: Mapping[str, Callable[["Picture", "Segmentation", Form], "Tensor"]] = {
    "matte": _matte,
    "cutout": _cutout,
    "trimap": _trimap,
    "overlay": _overlay,
    "stages": _stages,
    "parts": _parts,
    "doubt": _doubt,
}
