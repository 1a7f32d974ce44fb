"""Clips: motions to choose from, orders of clips, and the calls that make the same clip."""

import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pochoir.animation.catalog import CATALOG
from pochoir.animation.settings import ClipSettings
from pochoir.errors import OptionError, PochoirError
from pochoir.recipe import Recipe
from pochoir.studio import moving
from pochoir.studio.assistant import Assistant
from pochoir.studio.folder import NotFoundError, read_json, write_json
from pochoir.studio.history import History
from pochoir.studio.models import ClipOrder, Motion, Order
from pochoir.studio.orders import build_recipe, options_of, python_arguments
from pochoir.studio.photos import Photos
from pochoir.studio.plans import Plan
from pochoir.studio.problems import FieldError
from pochoir.studio.shelf import Shelf

SUFFIX = ".webp"
"""Extension of clips: every browser plays it, and it holds transparency."""
FORMATS = ("webp", "gif", "mp4", "webm", "mov", "png", "mkv")
"""Formats in which a clip can be downloaded."""
_NEED_AV = ("mp4", "webm", "mov", "mkv")
_WHOM = {"nothing": "anything", "person": "people", "legs": "animals", "wings": "wings"}


def clip_schema() -> dict[str, Any]:
    """Return the JSON schema of each setting of a clip."""
    properties: dict[str, Any] = ClipSettings.model_json_schema()["properties"]
    return properties


def formats() -> list[str]:
    """Return the formats that can be written here."""
    return [name for name in FORMATS if name not in _NEED_AV or find_spec("av") is not None]


def motions(reasons: dict[str, str] | None = None) -> list[Motion]:
    """Return all motions.

    Args:
        reasons: Motions that the subject cannot do, and why; None if that is not known.
    """
    given = {name: text.split(". ")[0].rstrip(".") + "." for name, text in (reasons or {}).items()}
    return [
        Motion(name=info.name, summary=info.summary, whom=_WHOM[info.needs], problem=given.get(info.name, ""))
        for info in CATALOG.values()
    ]


class Motions:
    """Pictures of the motions of each photo's subject, drawn when they are first needed.

    Args:
        photos: The photos.
        helper: Process that draws.
    """

    def __init__(self, photos: Photos, helper: Assistant) -> None:
        self._photos, self._helper = photos, helper

    async def of(self, id_: str) -> list[Motion]:
        """Return the motions, and for each that the subject cannot do the reason."""
        place = self._place(id_)
        facts = read_json(place / "motions.json")
        if facts is None:
            shutil.rmtree(place.parent, ignore_errors=True)  # pictures of an older mask
            mask = self._photos.mask_path(id_)
            facts = await self._helper.run(
                moving.draw_motions, str(self._photos.path(id_)), None if mask is None else str(mask), str(place)
            )
            write_json(place / "motions.json", facts)
        return motions(facts)

    def picture(self, id_: str, name: str, *, moves: bool) -> Path:
        """Return the picture of a motion.

        Raises:
            NotFoundError: There is none.
        """
        path = self._place(id_) / f"{name}{'-moving' if moves else ''}.webp"
        if name not in CATALOG or not path.is_file():
            raise NotFoundError("There is no picture of this motion.")
        return path

    def _place(self, id_: str) -> Path:
        photo = self._photos.get(id_)
        return self._photos.place(id_) / "motions" / (photo.mask_version or "none")


def plan_clip(order: ClipOrder, photos: Photos, shelf: Shelf, history: History) -> Plan:
    """Return the clip of a finished picture, or of a photo with its mask.

    Raises:
        InputError: Neither or both are given, or a setting cannot be used.
    """
    form = read_clip(order.clip).model_dump(mode="json", exclude_defaults=True)
    form.setdefault("motion", list(ClipSettings().motion))
    if (order.photo is None) == (order.item is None):
        raise OptionError("A clip is made of a finished picture or of a photo; give one of the two.")
    if order.item is not None:
        path = history.path(order.item)
        facts = history.facts(path)
        made = None if facts.get("order") is None else Order(**facts["order"])
        return Plan(
            facts.get("photo"),
            str(path),
            Recipe(),
            _stem(path.name, form),
            kind="animate",
            suffix=SUFFIX,
            form=form,
            order=made,
            mask=facts.get("mask"),
        )
    assert order.photo is not None  # noqa: S101  # one of the two is given
    photo = photos.get(order.photo)
    plain = Order(looks=order.looks, settings=order.settings)
    mask = photos.freeze_mask(photo.id) if order.use_mask else None
    recipe = build_recipe(plain, shelf.source, mask, needs_look=False)
    if mask is not None:
        recipe = recipe.replace(mask=str(mask))
    return Plan(
        photo.id,
        str(photos.path(photo.id)),
        recipe,
        _stem(photo.name, form),
        kind="animate",
        suffix=SUFFIX,
        form=form,
        order=plain,
    )


def read_clip(values: dict[str, Any]) -> ClipSettings:
    """Return the settings of a clip; values that are None have their defaults.

    Raises:
        FieldError: A value cannot be used; the error names the setting.
        InputError: There is no such setting.
    """
    given = {name: value for name, value in values.items() if value is not None}
    for name in given.keys() & ClipSettings.model_fields.keys():
        try:
            ClipSettings.model_validate({name: given[name]})
        except PochoirError as error:
            raise FieldError(name, str(error)) from error
    return ClipSettings.model_validate(given)


def clip_command(clip: ClipSettings, recipe: Recipe, photo: str, out: str) -> str:
    """Return the command that makes the same clip."""
    parts = ["pochoir", "animate", photo, "-o", out]
    for name, value in _changed(clip).items():
        if name == "loop":
            parts.append("--once")
        elif value is True:
            parts.append(f"--{name}")
        else:
            for each in value if isinstance(value, list) else [value]:
                parts += [f"--{name}", f"{each:g}" if isinstance(each, float) else str(each)]
    return shlex.join([*parts, *options_of(recipe)])


def clip_call(clip: ClipSettings, recipe: Recipe, photo: str, out: str) -> str:
    """Return the Python code that makes the same clip."""
    given = [f"{name}={value!r}" for name, value in _changed(clip).items()]
    arguments = "".join(f"\n    {each}," for each in [repr(photo), *given, *python_arguments(recipe)])
    return f"import pochoir\n\nclip = pochoir.animate({arguments}\n)\nclip.save({out!r})"


def _changed(clip: ClipSettings) -> dict[str, Any]:
    values = clip.model_dump(mode="json", exclude_defaults=True)
    return {"motion": list(clip.motion), **values}


def _stem(name: str, form: dict[str, Any]) -> str:
    words = "-".join(text.partition(":")[0] for text in form["motion"][:2])
    return f"{Path(name).stem}-{words}"
