"""``pochoir demo``: the main job on a sample photo, with styles that pochoir draws itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from pochoir.cli.console import Quiet, Report, Verbose
from pochoir.cli.options import Given, takes_settings
from pochoir.cli.own_files import OwnFiles
from pochoir.cli.progress import watch

if TYPE_CHECKING:
    from torch import Tensor

SUBJECT_STYLE, BACKGROUND_STYLE = "stained-glass", "mosaic"
SUBJECT: dict[str, Any] = {"subject": SUBJECT_STYLE, "subject_strength": 0.5}
"""At this strength the leads follow the cup's edges, so that handle and spoon stay apart from the saucer."""
BACKGROUND: dict[str, Any] = {"background": BACKGROUND_STYLE, "background_strength": 0.9}
"""At the default strength the table's edge shows through the mosaic."""
SIZE_PX = 512
"""Long side that two cores paint three times in half a minute."""
TILE_PX = 320
CLIP_PX, CLIP_S, CLIP_FPS = 512, 4.0, 12.0
"""Long side of the clip, its length in seconds, and frames a second."""
MOTION = "waddle:0.4"
"""At full strength the rim of the cup all but touches the frame."""


class Run(NamedTuple):
    """One of the demo's painted pictures."""

    name: str
    caption: str
    styles: dict[str, Any]


RUNS = (
    Run("subject", f"subject: {SUBJECT_STYLE}", SUBJECT),
    Run("background", f"background: {BACKGROUND_STYLE}", BACKGROUND),
    Run("both", "both styles", SUBJECT | BACKGROUND),
)

FILES = (
    *(f"{name}.png" for name in ("photo", "matte", "cutout", SUBJECT_STYLE, BACKGROUND_STYLE)),
    *(f"{run.name}.png" for run in RUNS),
    *("contact-sheet.png", "astronaut.png", "clip.webp"),
)
"""Files that the demo writes."""


@takes_settings(["device", "threads"])
def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the pictures.")] = Path("pochoir-demo"),
    *,
    given: Given,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Find the subject of a sample photo, paint it and its background, show all on one sheet, and animate it."""
    from skimage import data

    from pochoir import clips, compositing, imaging, pipeline, sources, weights

    imaging.make_folder(out)
    own = OwnFiles(out, "demo")
    own.check(FILES)
    weights.where("vgg19")  # missing weights are told before the first picture, not after it
    gallery = _Gallery(out, Report(quiet=quiet), own)
    photo = imaging.load(data.coffee()).rgb  # type: ignore[no-untyped-call]  # CC0, Rachel Michetti
    gallery.add("photo", "photo", photo)
    machine: dict[str, Any] = dict(given.values)
    found = pipeline.segment(out / "photo.png", **machine)
    gallery.add("matte", "matte", found.matte.expand(-1, 3, -1, -1))
    gallery.add("cutout", "cutout", compositing.cutout(photo, found.matte))
    for name in (SUBJECT_STYLE, BACKGROUND_STYLE):
        gallery.add(name, f"style: {name}", sources.load_style(name).rgb)
    for run in RUNS:
        settings = machine | run.styles
        painting = pipeline.iter_stylize(out / "photo.png", mask=out / "matte.png", size=SIZE_PX, **settings)
        for _ in watch(painting, quiet=quiet):
            pass
        result = painting.result()
        gallery.add(run.name, run.caption, result.composite, record=result.record())
    gallery.finish()
    person = out / "astronaut.png"
    imaging.save(person, imaging.load(data.astronaut()).rgb)  # type: ignore[no-untyped-call]  # NASA, public domain
    own.add(person)
    gallery.report.done(f"{person}  a person, for the how-to pages", {})
    clip = clips.animate(
        out / "photo.png",
        mask=out / "matte.png",
        size=CLIP_PX,
        motion=MOTION,
        duration=CLIP_S,
        fps=CLIP_FPS,
        **machine | RUNS[-1].styles,
    )
    moving = clip.save(out / "clip.webp")
    own.add(moving)
    gallery.report.done(f"{moving}  the subject rocks", {})


class _Gallery:
    """Saves pictures as they are made, says where, and puts them on one sheet at the end."""

    def __init__(self, folder: Path, report: Report, own: OwnFiles) -> None:
        self._folder = folder
        self.report = report
        self._own = own
        self._tiles: list[tuple[str, Tensor]] = []

    def add(self, name: str, caption: str, picture: "Tensor", **options: Any) -> None:
        from pochoir import imaging

        path = self._folder / f"{name}.png"
        alpha = picture[:, 3:] if picture.shape[1] == 4 else None
        imaging.save(path, picture[:, :3], alpha=alpha, **options)
        self._own.add(path)
        self._tiles.append((caption, picture))
        self.report.done(f"{path}  {caption}", {})

    def finish(self) -> None:
        from pochoir import imaging

        height, width = self._tiles[0][1].shape[-2:]
        tiles = [  # styles are cut to the photo's shape, so that rows are even
            (caption, picture[..., : round(picture.shape[-1] * height / width), :]) for caption, picture in self._tiles
        ]
        self.add("contact-sheet", "all of them", imaging.contact_sheet(tiles, columns=4, tile_px=TILE_PX))
