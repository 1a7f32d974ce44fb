"""Plans: work that an order asks for, before it is queued."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pochoir.recipe import Recipe
from pochoir.studio import sheets
from pochoir.studio.folder import new_id
from pochoir.studio.models import JobOrder, Order, Place
from pochoir.studio.orders import build_recipe
from pochoir.studio.photos import Photos
from pochoir.studio.shelf import Shelf


@dataclass(frozen=True)
class Plan:
    """One job to be queued.

    Attributes:
        photo: Id of the photo; None if the page does not know it.
        source: File that is read.
        recipe: Settings of the painting.
        stem: Beginning of the output's name.
        kind: Kind of the job.
        suffix: Extension of the output.
        form: Settings that only this kind of job has.
        order: Looks and settings as the page gave them.
        place: Place on a sheet.
        video: Id of the video.
        mask: File of the mask that the page cuts out with; None takes the recipe's.
    """

    photo: str | None
    source: str
    recipe: Recipe
    stem: str
    kind: str = "stylize"
    suffix: str = ".png"
    form: dict[str, Any] = field(default_factory=dict)
    order: Order | None = None
    place: Place | None = None
    video: str | None = None
    mask: str | None = None


def plan_paintings(order: JobOrder, photos: Photos, shelf: Shelf) -> list[Plan]:
    """Return one painting, or the small ones of a sheet.

    Raises:
        InputError: The photo or a setting cannot be used.
    """
    photo = photos.get(order.photo)
    source = str(photos.path(order.photo))
    mask = photos.freeze_mask(order.photo) if order.use_mask else None
    plain = Order(looks=order.looks, settings=order.settings)
    stem = Path(photo.name).stem
    build_recipe(plain, shelf.source, mask)  # says what is wrong before the grid does
    axes = sheets.read_grid(order.grid) if order.grid else {}
    if not axes and order.variations > 1:
        axes = sheets.seeds(plain, order.variations)
    if not axes:
        return [Plan(photo.id, source, build_recipe(plain, shelf.source, mask), stem, order=plain)]
    return [
        Plan(photo.id, source, build_recipe(each, shelf.source, mask), f"{stem}-v{number}", order=each, place=place)
        for number, (each, place) in enumerate(sheets.iter_orders(plain, axes, new_id(os.urandom(16))), start=1)
    ]
