"""Pictures that a run needs, read by path or built-in name, or taken from memory."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pochoir import imaging, styles
from pochoir._files import place_of
from pochoir._hashing import hash_file, hash_large_file
from pochoir._types import Size
from pochoir.errors import EmptyRegionError, InputError, ShapeError
from pochoir.imaging import Matte, Picture, PictureSource
from pochoir.recipe import STYLE_FIELDS, InputFile, Recipe, StyleRef
from pochoir.styles.kept import draw_once

BUILT_IN_STYLE_SIZE = Size(768, 768)
"""Built-in styles are drawn at this size and then scaled like any other style picture."""
_STYLE_ROLES = tuple(name.replace("_", " ") for name in STYLE_FIELDS)
MOST_STRETCH = 0.02
"""Largest difference between the proportions of a style mask and its style; scaling a picture rounds its sides."""


@dataclass(frozen=True, eq=False)
class Sources:
    """The decoded pictures of a run.

    Attributes:
        photo: The photo.
        styles: For each of ``STYLE_FIELDS`` that has styles, the pictures and their shares.
        style_masks: For each of these that has masks, one for each style, of its size.
        mask: The matte that was given.
        scribble: The picture of strokes that was given.
        backdrop: The backdrop picture that was given.
        init: The picture to start from that was given.
        protect: The mask of what is kept more that was given.
    """

    photo: Picture
    styles: Mapping[str, tuple[tuple[Picture, float], ...]]
    mask: Matte | None = None
    scribble: Picture | None = None
    backdrop: Picture | None = None
    init: Picture | None = None
    protect: Matte | None = None
    style_masks: Mapping[str, tuple[Matte, ...]] = dataclasses.field(default_factory=dict)

    def files(self) -> tuple[InputFile, ...]:
        """Return the files that were read, for the record."""
        read: list[tuple[str, Picture | Matte | None]] = [("photo", self.photo)]
        for region, pictures in self.styles.items():
            read += [(region.replace("_", " "), picture) for picture, _ in pictures]
            read += [(f"{region.replace('_', ' ')} mask", mask) for mask in self.style_masks.get(region, ())]
        read += [("mask", self.mask), ("scribble", self.scribble), ("backdrop", self.backdrop), ("init", self.init)]
        read.append(("protect", self.protect))
        return tuple(
            InputFile(role=role, name=source.name, path=source.path, sha256=source.sha256)
            for role, source in read
            if source is not None
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on conversions while reading."""
        return tuple(f"{source.name}: {note}" for source in self._all() for note in source.notes)

    def _all(self) -> list[Picture | Matte]:
        pictures = [picture for group in self.styles.values() for picture, _ in group]
        masks = [mask for group in self.style_masks.values() for mask in group]
        read: list[Picture | Matte | None] = [self.photo, *pictures, *masks]
        read += [self.mask, self.scribble, self.backdrop, self.init, self.protect]
        return [each for each in read if each is not None]


def load_sources(
    photo: PictureSource,
    recipe: Recipe,
    in_memory: Mapping[str, Any],
    *,
    read_style: Callable[[str], Picture] | None = None,
) -> Sources:
    """Read every picture that a recipe names, before anything long begins.

    Args:
        photo: The photo.
        recipe: Names the other pictures.
        in_memory: Pictures to take instead of a name: for styles and their masks a list beside the recipe's names,
            with None where the name is to be read; for mask, scribble, backdrop, init and protect the picture.
        read_style: Reads a style by its name; None is ``load_style``.

    Raises:
        EmptyRegionError: A style mask is black.
        ImageReadError: A picture cannot be read.
        ShapeError: A style mask has other proportions than its style.
        UnknownNameError: A style is neither a file nor a built-in name.
    """
    picture = imaging.load(photo, role="photo")
    read_style = read_style or load_style
    read: dict[str, tuple[tuple[Picture, float], ...]] = {}
    masks: dict[str, tuple[Matte, ...]] = {}
    for region in STYLE_FIELDS:
        refs: tuple[StyleRef, ...] = getattr(recipe, region)
        given = in_memory.get(region) or [None] * len(refs)
        if refs:
            read[region] = tuple(
                (read_style(ref.source) if item is None else imaging.load(item, role="style"), ref.weight)
                for ref, item in zip(refs, given, strict=True)
            )
        names: tuple[str, ...] = getattr(recipe, f"{region}_mask")
        given = in_memory.get(f"{region}_mask") or [None] * len(names)
        if names:
            masks[region] = tuple(
                load_style_mask(name if item is None else item, style)
                for name, item, (style, _) in zip(names, given, read[region], strict=True)
            )
    mask = in_memory.get("mask", recipe.mask)
    scribble = in_memory.get("scribble", recipe.scribble)
    backdrop = in_memory.get("backdrop", recipe.backdrop.picture)
    init = in_memory.get("init", recipe.init.picture)
    protect = in_memory.get("protect", recipe.protect)
    return Sources(
        photo=picture,
        styles=read,
        mask=None if mask is None else imaging.load_matte(mask, size=picture.size),
        scribble=None if scribble is None else imaging.load(scribble, role="scribble"),
        backdrop=None if backdrop is None else imaging.load(backdrop, role="backdrop"),
        init=None if init is None else imaging.load(init, role="init"),
        protect=None if protect is None else imaging.load_matte(protect, size=picture.size),
        style_masks=masks,
    )


def load_style(source: str) -> Picture:
    """Return the style of a name or path; a file counts more than a built-in style of the same name.

    Raises:
        ImageReadError: There is such a file, and it cannot be read.
        UnknownNameError: It is neither a file nor a built-in name.
    """
    if place_of(source).exists():
        return imaging.load(source, role="style")
    styles.check_style(source)
    return _load_newest(source) if source in styles.NAMES else _draw_style(source)


def _draw_style(name: str) -> Picture:
    return dataclasses.replace(imaging.load(draw_once(name, size=BUILT_IN_STYLE_SIZE)), name=name)


_load_newest = functools.lru_cache(maxsize=1)(_draw_style)
"""The same for a built-in style; a run needs its hash first and its pixels later."""


def check_shared_pictures(recipe: Recipe) -> None:
    """Decode every picture that a recipe names, to find out before many photos are painted whether it can be used.

    Raises:
        EmptyRegionError: A style mask is black.
        ImageReadError: A picture cannot be read.
        ShapeError: A style mask has other proportions than its style.
        UnknownNameError: A style is neither a file nor a built-in name.
    """
    for region in STYLE_FIELDS:
        drawn = [load_style(ref.source) for ref in getattr(recipe, region)]
        for name, style in zip(getattr(recipe, f"{region}_mask"), drawn, strict=False):
            load_style_mask(name, style)
    others = {"mask": recipe.mask, "scribble": recipe.scribble}
    others |= {"backdrop": recipe.backdrop.picture, "init": recipe.init.picture}
    for role, path in others.items():
        if path is not None:
            imaging.load(path, role=role)


def describe_inputs(photo: PictureSource, recipe: Recipe) -> tuple[InputFile, ...]:
    """Return the inputs of a run as ``Sources.files`` lists them, without decoding any file.

    Args:
        photo: The photo.
        recipe: Names the other pictures.

    Raises:
        ImageReadError: A file cannot be read.
        UnknownNameError: A style is neither a file nor a built-in name.
    """
    named: list[tuple[str, PictureSource]] = [("photo", photo)]
    for region in STYLE_FIELDS:
        role = region.replace("_", " ")
        named += [(role, ref.source) for ref in getattr(recipe, region)]
        named += [(f"{role} mask", path) for path in getattr(recipe, f"{region}_mask")]
    others = {"mask": recipe.mask, "scribble": recipe.scribble}
    others |= {"backdrop": recipe.backdrop.picture, "init": recipe.init.picture}
    named += [(role, path) for role, path in others.items() if path is not None]
    return tuple(_describe_input(role, source) for role, source in named)


def _describe_input(role: str, source: PictureSource) -> InputFile:
    if not isinstance(source, str | Path):
        picture = imaging.load(source, role=role)
        return InputFile(role=role, name=picture.name, path=picture.path, sha256=picture.sha256)
    path = str(source)
    try:
        return InputFile(role=role, name=Path(path).name, path=path, sha256=hash_large_file(place_of(path)))
    except (OSError, ValueError):
        if role in _STYLE_ROLES and not place_of(path).exists():
            return InputFile(role=role, name=path, path=None, sha256=_hash_built_in(path))
        imaging.load(path, role=role)  # says why it cannot be read
        raise


@functools.cache
def _hash_built_in(name: str) -> str:
    return load_style(name).sha256


def load_style_mask(source: PictureSource, style: Picture) -> Matte:
    """Read the mask of a style picture, at the style's size; the look is taken from its white parts.

    Raises:
        EmptyRegionError: It is black.
        ImageReadError: It cannot be read.
        ShapeError: It has other proportions than the style.
    """
    picture = imaging.load(source, role="style mask")
    stretch = picture.size.width * style.size.height / (picture.size.height * style.size.width)
    if abs(stretch - 1.0) > MOST_STRETCH:
        raise ShapeError(
            f"The style mask {picture.name} is {picture.size}, and its style {style.name} is {style.size}: their "
            "proportions differ. Draw the mask on a copy of the style."
        )
    mask = imaging.load_matte(picture, size=style.size)
    if float(mask.matte.max()) < 1 / 255:
        raise EmptyRegionError(
            f"The style mask {picture.name} is black: it leaves nothing of {style.name} to take a look from."
        )
    return mask


def find_input(entry: InputFile, *, base: Path, inputs_dir: Path | None) -> str:
    """Find an input of an earlier run: its path, or a built-in style's name.

    Among several files with its name, an unchanged one is preferred.

    Args:
        entry: Entry of the record.
        base: Folder that a relative path may be relative to, besides the current one.
        inputs_dir: Folder to look in first, by the file's name.

    Raises:
        InputError: It is not found, or was never a file.
    """
    if entry.path is None:
        if entry.name in styles.style_names():
            return entry.name
        raise InputError(f"The {entry.role} was a picture in memory, which has no file to read again.")
    path = Path(entry.path)
    places = [] if inputs_dir is None else [inputs_dir / path.name]
    found = [place for place in (*places, path, base / path, base / path.name) if place.is_file()]
    if found:  # the current folder may hold another picture with this name
        return str(next((place for place in found if _is_unchanged(place, entry)), found[0]))
    raise InputError(f"The {entry.role} {entry.path} is not there any more; name its folder with --inputs DIR.")


def _is_unchanged(place: Path, entry: InputFile) -> bool:
    try:
        return hash_file(place) == entry.sha256
    except OSError:  # reading it will say why
        return False
