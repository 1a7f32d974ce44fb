"""``pochoir segment``: find the subject and save it in the form that is wanted."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pochoir._types import Size
from pochoir.cli.console import AsJson, Force, Quiet, Report, Verbose
from pochoir.cli.options import Given, takes_settings
from pochoir.errors import UnknownNameError
from pochoir.recipe import SegmentSettings

if TYPE_CHECKING:
    from torch import Tensor

    from pochoir.imaging import Picture
    from pochoir.segmentation import Segmentation

OWN_SETTINGS = [item.name for item in dataclasses.fields(SegmentSettings) if item.name != "mask"]


def _matte(photo: "Picture", found: "Segmentation") -> "Tensor":
    return found.matte.expand(-1, 3, -1, -1)


def _cutout(photo: "Picture", found: "Segmentation") -> "Tensor":
    from pochoir import compositing

    return compositing.cutout(photo.rgb, found.matte)


def _trimap(photo: "Picture", found: "Segmentation") -> "Tensor":
    from pochoir import segmentation

    return segmentation.trimap(found.matte).expand(-1, 3, -1, -1)


def _overlay(photo: "Picture", found: "Segmentation") -> "Tensor":
    from pochoir import segmentation

    return segmentation.overlay(photo.rgb, found.matte)


def _stages(photo: "Picture", found: "Segmentation") -> "Tensor":
    from pochoir import imaging

    tiles = [("photo", photo.rgb), *((name, stage.expand(-1, 3, -1, -1)) for name, stage in found.stages)]
    return imaging.contact_sheet(tiles, columns=4, tile_px=320)


FORMS: Mapping[str, Callable[["Picture", "Segmentation"], "Tensor"]] = {
    "matte": _matte,
    "cutout": _cutout,
    "trimap": _trimap,
    "overlay": _overlay,
    "stages": _stages,
}


@takes_settings([*OWN_SETTINGS, "device"])
def segment(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo whose subject is looked for.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Picture to write: .png, .jpg, .webp or .tiff.")],
    *,
    given: Given,
    form: Annotated[str, typer.Option("--as", metavar="|".join(FORMS), help="What to save.")] = "matte",
    as_json: AsJson = False,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find a photo's subject and save its matte, a cutout, or a picture that shows what was found.

    A cutout is transparent around the subject and keeps the subject's own colours up to the edge.

    Stages show how the matte came about: what U2-Net sees at each size, or where GrabCut starts.
    """
    if form not in FORMS:
        raise UnknownNameError("form", form, FORMS)

    from pochoir import imaging, pipeline

    imaging.check_output(out, inputs=[photo], alpha=form == "cutout", force=force)
    picture = imaging.load(photo)
    found = pipeline.segment(picture, **given.values)
    shown = FORMS[form](picture, found)
    imaging.save(out, shown[:, :3], alpha=shown[:, 3:] if shown.shape[1] == 4 else None)
    size = Size(*shown.shape[-2:])
    share = float(found.matte.mean())
    report = Report(quiet, as_json)
    report.notes(found.notes)
    report.done(
        f"Saved {out} ({size}): {form} by {found.method}, {share:.0%} of the photo is subject.",
        {
            "outputs": [str(out)],
            "size": size._asdict(),
            "as": form,
            "method": found.method,
            "box": found.box,
            "subject_share": share,
            "notes": found.notes,
        },
    )
