"""Plan of a sweep: all runs, checked before the first one starts."""

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pochoir import imaging, weights
from pochoir.errors import OptionError
from pochoir.jobs import Job
from pochoir.lab.sweep.grid import MACHINE_FIELDS, Axis, iter_settings
from pochoir.recipe import Recipe, StyleRef, format_setting
from pochoir.sources import load_style


@dataclass(frozen=True)
class Item:
    """A photo or a style of a sweep.

    Attributes:
        label: Short name, unique among photos or styles.
        source: Path, or name of a built-in style.
        sha256: Of its contents.
    """

    label: str
    source: str
    sha256: str


@dataclass(frozen=True)
class Run:
    """One picture to be painted.

    Attributes:
        photo: The photo.
        style: The style.
        settings: The value of each axis.
        recipe: All settings.
    """

    photo: Item
    style: Item
    settings: Mapping[str, Any]
    recipe: Recipe

    @property
    def picture_name(self) -> str:
        """File name of the picture: photo, style, and a hash of all settings."""
        values = {name: value for name, value in self.recipe.to_dict().items() if name not in MACHINE_FIELDS}
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        return f"{self.photo.label}-{self.style.label}-{digest[:10]}.png"

    @property
    def title(self) -> str:
        """Description for people."""
        settings = (f"{name.replace('_', '-')} {format_setting(value)}" for name, value in self.settings.items())
        return ", ".join([f"{self.photo.label} as {self.style.label}", *settings])

    def job(self, pictures: Path) -> Job:
        """Return the job that paints the picture into a folder."""
        output = str(pictures / self.picture_name)
        return Job(kind="stylize", photo=self.photo.source, output=output, recipe=self.recipe, force=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the run as plain values."""
        recipe = self.recipe.to_dict()
        return {
            "photo": self.photo.label,
            "style": self.style.label,
            "settings": {name: recipe[name] for name in self.settings},
            "recipe": recipe,
        }


@dataclass(frozen=True)
class Plan:
    """All runs of a sweep, in the order in which they start.

    Attributes:
        photos: The photos.
        styles: The styles.
        axes: The settings that are swept.
        runs: Every photo in every style at every combination.
    """

    photos: tuple[Item, ...]
    styles: tuple[Item, ...]
    axes: tuple[Axis, ...]
    runs: tuple[Run, ...]


def plan_sweep(photos: Sequence[str], styles: Sequence[str], base: Recipe, axes: Sequence[Axis]) -> Plan:
    """Read all inputs and check all settings.

    Args:
        photos: Paths.
        styles: Paths or built-in names; each is a style of its own, none are blended.
        base: The settings that are not swept; its own style is not used.
        axes: The settings that are.

    Raises:
        InputError: An input cannot be read, a value is out of bounds, or there is only one picture to paint.
        WeightsMissingError: The network is not in the cache.
    """
    if not styles:
        raise OptionError("A sweep needs a style: --style S, once for each.")
    pictures = [imaging.load(photo) for photo in photos]
    drawn = [load_style(style) for style in styles]
    photo_items = _items(photos, [picture.sha256 for picture in pictures])
    style_items = _items(styles, [picture.sha256 for picture in drawn])
    values = base.to_dict()
    settings_of_runs = list(iter_settings(axes))
    runs = tuple(
        _plan_run(photo, style, settings, values)
        for photo, style, settings in itertools.product(photo_items, style_items, settings_of_runs)
    )
    if len(runs) < 2:
        raise OptionError("There is nothing to sweep: give a setting several values, as in --grid style-weight=1,10.")
    for encoder in {run.recipe.encoder for run in runs} | {"vgg19"}:
        weights.where(encoder)
    return Plan(photo_items, style_items, tuple(axes), runs)


def _plan_run(photo: Item, style: Item, settings: Mapping[str, Any], base: Mapping[str, Any]) -> Run:
    recipe = Recipe.from_dict({**base, **settings, "style": [StyleRef(style.source)]})
    return Run(photo, style, settings, recipe)


def _items(sources: Sequence[str], hashes: Sequence[str]) -> tuple[Item, ...]:
    twice = [source for source, count in Counter(hashes).items() if count > 1]
    if twice:
        named = [source for source, sha256 in zip(sources, hashes, strict=True) if sha256 == twice[0]]
        raise OptionError(f"The same picture is given twice: {', '.join(named)}.")
    stems = [Path(source).stem for source in sources]
    taken = Counter(stems)
    return tuple(
        Item(stem if taken[stem] == 1 else f"{stem}-{index}", source, sha256)
        for index, (stem, source, sha256) in enumerate(zip(stems, sources, hashes, strict=True), start=1)
    )
