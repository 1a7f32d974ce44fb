"""Settings of the file that is written."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from pochoir.errors import OptionError
from pochoir.recipe.declare import setting
from pochoir.recipe.model import FrozenModel

Chroma = Literal["444", "422", "420"]
Profile = Literal["srgb", "keep"]
KeptMetadata = Literal["basic", "gps", "none"]


def _check_bits(value: int) -> int:
    if value not in (8, 16):
        raise OptionError(f"bits must be 8 or 16; got {value}.")
    return value


class OutputSettings(FrozenModel):
    """Settings of the file that is written."""

    field_noun = "recipe field"

    enlarge: int = setting(
        1,
        "Enlarge the finished picture 2, 3 or 4 times with a small network, for prints",
        group="output",
        level="basic",
        low=1,
        high=4,
    )
    bits: Annotated[int, AfterValidator(_check_bits)] = setting(
        8, "Bits per channel, 8 or 16; 16 only for PNG, TIFF and JPEG XL", group="output", low=8, high=16
    )
    quality: int = setting(
        95,
        "Quality of JPEG, WebP, AVIF and JPEG XL, where 100 is lossless in WebP and JPEG XL; and of clips and films in "
        "lossy formats, where 95 stands for the format's own",
        group="output",
        low=1,
        high=100,
    )
    chroma: Chroma = setting(
        "444", "Resolution of colours in JPEG and AVIF: 444 full, 422 half, 420 a quarter", group="output"
    )
    dpi: float | None = setting(
        None, "Print resolution in pixels per inch; by default the photo's", group="output", low=1.0, high=100_000.0
    )
    profile: Profile = setting("srgb", "Colour profile: srgb, or keep the photo's own", group="output")
    metadata: KeptMetadata = setting(
        "basic",
        "EXIF data of the photo to keep: basic (date, camera, author, copyright), gps (these and the location) or none",
        group="output",
    )
    no_recipe: bool = setting(
        False,
        "Leave out the recipe, and with it the names of your files; such a picture cannot be redone",
        group="output",
    )
