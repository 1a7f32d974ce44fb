"""First look at the files that a command names, before anything heavy is imported."""

import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from pochoir.errors import ImageReadError
from pochoir.recipe import MASK_FIELDS, STYLE_FIELDS, Recipe

STREAM = "-"
_PATTERN = frozenset("*?[")


def check_inputs(photos: Sequence[str], recipes: Iterable[Recipe] = (), *, role: str = "photo") -> None:
    """Check that files exist and have contents; decoding finds everything else.

    Args:
        photos: Photos as they were typed. Of several, and of folders and patterns, each is checked when it is its turn.
        recipes: Recipes that name further pictures.
        role: Word for the photos in errors.

    Raises:
        ImageReadError: A file is missing or empty, or is a folder, a pipe or a device.
        UnknownNameError: A style is neither a file nor a known name.
    """
    if len(photos) == 1 and photos[0] != STREAM and not _PATTERN & set(photos[0]) and not Path(photos[0]).is_dir():
        _check_file(photos[0], role)
    for recipe in recipes:
        for name in STYLE_FIELDS:
            for ref in getattr(recipe, name):
                _check_style(ref.source)
        for name in MASK_FIELDS:
            for path in getattr(recipe, name):
                _check_file(path, "style mask")
        others = {"mask": recipe.mask, "scribble": recipe.scribble}
        others |= {"backdrop": recipe.backdrop.picture, "init": recipe.init.picture}
        for role, path in others.items():
            if path is not None:
                _check_file(path, role)


def _check_style(source: str) -> None:
    from pochoir import styles

    if Path(source).exists():
        _check_file(source, "style")
    else:
        styles.check_style(source)


def _check_file(path: str, role: str) -> None:
    start = f"Cannot read the {role} {path!r}: "
    try:
        found = Path(path).stat()
        if stat.S_ISDIR(found.st_mode):
            raise ImageReadError(f"{start}it is a folder, not a picture.")
        if not stat.S_ISREG(found.st_mode):  # it is read twice, and opening a pipe may wait for ever
            hint = f"; {STREAM} reads the photo from standard input" if role == "photo" else ""
            raise ImageReadError(f"{start}it is a pipe or a device, not a file{hint}.")
        with Path(path).open("rb"):
            pass
    except FileNotFoundError as error:
        raise ImageReadError(f"{start}there is no such file.") from error
    except (OSError, ValueError) as error:
        raise ImageReadError(f"{start}{getattr(error, 'strerror', None) or error}.") from error
    if found.st_size == 0:
        raise ImageReadError(f"{start}the file is empty.")
