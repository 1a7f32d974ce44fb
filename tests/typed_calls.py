"""Calls as users type them, for mypy: each ignored error has to be one, or ``make check`` fails."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

import pochoir


def right(photo: Path) -> pochoir.Result:
    with pochoir.Session(pochoir.Recipe(steps=4), many=True, size=256) as session:
        found = session.segment(photo, box=(1, 2, 3, 4), keep_points="3,4", threads=2)
        for step in session.iter_stylize(photo, style="mosaic", checkpoint=photo.with_suffix(".partial")):
            print(step.done)  # noqa: T201
        session.stylize(torch.zeros(3, 32, 32), subject=[("mosaic", 2.0), Image.new("RGB", (8, 8))], mask=found)
        session.stylize(np.zeros((32, 32, 3)), background=photo, size="full", style_layers=["relu1_1"], seed=3)
    pochoir.animate(photo, motion=("nod", "breathe:0.5"), duration="2s", subject="mosaic", margin="20%").save("a.webp")
    pochoir.stylize_video("a.mp4", subject="mosaic", keys="auto", on=2, end="8s", mask_frame={3: "m.png"}).save("b.mp4")
    pochoir.show_progress(pochoir.iter_stylize(photo, style="mosaic")).save("b.png")
    pochoir.segment(photo, segmenter="grabcut", subject="largest", with_parts=True)
    return pochoir.stylize(photo, style=("mosaic", 0.5), mask=torch.zeros(1, 1, 32, 32), strength=0.7, time="30s")


def wrong(photo: Path) -> None:
    pochoir.stylize(photo, stile="mosaic")  # type: ignore[call-arg]
    pochoir.stylize(photo, size="big")  # type: ignore[arg-type]
    pochoir.stylize(photo, style="mosaic", steps="36")  # type: ignore[arg-type]
    pochoir.stylize(photo, style="mosaic", color="blue")  # type: ignore[arg-type]
    pochoir.stylize("photo.jpg", "mosaic")  # type: ignore[arg-type]
    pochoir.iter_stylize(photo, began_s=3.0)  # type: ignore[call-arg]
    pochoir.segment(photo, style="mosaic")  # type: ignore[call-arg]
    pochoir.segment(photo, refine="better")  # type: ignore[arg-type]
    pochoir.animate(photo, motions="nod")  # type: ignore[call-arg]
    pochoir.stylize_video(photo, style="mosaic", form="film")  # type: ignore[arg-type]
    pochoir.stylize_video(photo, style="mosaic", mask="m.png")  # type: ignore[call-arg]
    pochoir.animate(photo, fps="fast")  # type: ignore[arg-type]
    pochoir.Session(long_side=256)  # type: ignore[call-arg]
