"""Photos that a user names by files, folders and patterns, and places for what is made of them."""

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from pochoir.errors import ImageReadError, OptionError, OutputPathError
from pochoir.jobs.job import STREAM
from pochoir.jobs.outputs import is_own

_MAGIC = frozenset("*?[")
_MOST_NAMED = 3
"""Files that a note names at most."""


@dataclass(frozen=True)
class Photo:
    """A photo that was found.

    Attributes:
        path: Path of the file.
        relative: Its path below the folder that was named.
    """

    path: Path
    relative: PurePath


@dataclass(frozen=True)
class Found:
    """Photos that were found.

    Attributes:
        photos: The photos, in the order in which they were named, and by name within folders.
        notes: Sentences about files in folders that are passed over.
    """

    photos: tuple[Photo, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """A photo, and the path of one picture to be made of it."""

    photo: Path
    output: Path
    label: str = ""


def are_many(arguments: Sequence[str]) -> bool:
    """Return whether arguments mean several photos: more than one name, a folder or a pattern."""
    return len(arguments) != 1 or Path(arguments[0]).is_dir() or is_pattern(arguments[0])


def is_pattern(argument: str) -> bool:
    """Return whether an argument is a pattern and not the name of a file."""
    return not _MAGIC.isdisjoint(argument) and not os.path.lexists(argument)


def find_photos(
    arguments: Sequence[str],
    *,
    suffixes: frozenset[str],
    out: Path | None = None,
    is_made: Callable[[Path], bool] = is_own,
    is_wanted: Callable[[Path], bool] | None = None,
    noun: str = "picture",
) -> Found:
    """Find the photos that are meant.

    In folders and by patterns, pictures are passed over that hold a record, because pochoir made them. Name such a
    picture itself to use it. A name that is no folder, pattern or file is kept; it fails when its turn comes.

    Args:
        arguments: Names of files and folders, and patterns; ``**`` stands for any number of folders.
        suffixes: Extensions of pictures, in small letters.
        out: Folder that is written into; it is not searched.
        is_made: Tells whether pochoir made a file, which is then passed over.
        is_wanted: Tells whether a file is one to find, where the extension alone does not say it.
        noun: Word for what is looked for, in notes and errors.

    Raises:
        ImageReadError: No photo is found at all.
        OptionError: A name is empty.
    """
    search = _Search(suffixes, None if out is None else os.path.realpath(out), is_made, is_wanted, noun)
    found: dict[str, Photo] = {}
    for argument in arguments:
        if not argument:
            raise OptionError("The name of a photo is empty.")
        for photo in search.find(argument):
            found.setdefault(os.path.realpath(photo.path), photo)
    notes = tuple(search.notes())
    if not found:
        more = f" ({'; '.join(notes)})" if notes else ""
        raise ImageReadError(f"There is no {noun} in {' or '.join(map(repr, arguments))}{more}.")
    return Found(tuple(found.values()), notes)


def place_outputs(
    photos: Sequence[Photo], out: Path, *, suffix: str, labels: Sequence[str] = ("",), force: bool = False
) -> list[Place]:
    """Give each picture a place in the folder ``out``, under the folders that its photo has below the named one.

    ``a.jpg`` becomes ``a.png``, or ``a-LABEL.png``. If there is also an ``a.tif``, it becomes ``a.jpg.png``; if that is
    taken as well, ``a.jpg-2.png``.

    Args:
        photos: The photos.
        out: The folder.
        suffix: Extension of what is written, for example ``".png"``.
        labels: Labels of the pictures to be made of each photo.
        force: Allow photos to be overwritten.

    Raises:
        OutputPathError: A photo would be overwritten.
    """
    wanted = [(photo, label) for photo in photos for label in labels]
    names = _free_names([photo.relative for photo, _ in wanted], [label for _, label in wanted], suffix)
    places = [Place(photo.path, out / name, label) for (photo, label), name in zip(wanted, names, strict=True)]
    inputs = {os.path.realpath(photo.path) for photo in photos}
    for place in places:
        if not force and os.path.realpath(place.output) in inputs:
            raise OutputPathError(
                f"'{place.output}' is an input and would be overwritten; choose another folder or force it (--force)."
            )
    return places


class _Search:
    """Search for pictures that counts what it passes over."""

    def __init__(
        self,
        suffixes: frozenset[str],
        skipped: str | None,
        is_made: Callable[[Path], bool],
        is_wanted: Callable[[Path], bool] | None,
        noun: str,
    ) -> None:
        self._suffixes = suffixes
        self._skipped = skipped
        self._is_made = is_made
        self._is_wanted = is_wanted
        self._noun = noun
        self._own: list[Path] = []
        self._others: list[Path] = []

    def find(self, argument: str) -> Iterator[Photo]:
        """Yield the photos of one argument."""
        if argument != STREAM and is_pattern(argument):
            root, parts = _split_pattern(argument)
            yield from self._choose(root, _expand(root, parts, self._walk))
        elif argument != STREAM and Path(argument).is_dir():
            yield from self._choose(Path(argument), self._walk(Path(argument)))
        else:
            path = Path(argument)
            yield Photo(path, PurePath(path.name or "photo"))

    def notes(self) -> Iterator[str]:
        """Yield a sentence for each reason to pass files over."""
        if self._own:
            yield f"{_count(self._own, self._noun)} that pochoir made: {_name(self._own)}; name one itself to use it"
        if self._others:
            yield f"{_count(self._others, 'file')} that pochoir cannot read as a {self._noun}: {_name(self._others)}"

    def _choose(self, root: Path, paths: Iterator[Path]) -> Iterator[Photo]:
        for path in paths:
            if not path.is_file():
                continue
            if path.suffix.lower() not in self._suffixes or not (self._is_wanted is None or self._is_wanted(path)):
                if not _is_sidecar(path):
                    self._others.append(path)
            elif self._is_made(path):
                self._own.append(path)
            else:
                yield Photo(path, path.relative_to(root))

    def _walk(self, root: Path) -> Iterator[Path]:
        """Yield all files below a folder that are not hidden, in the same order on every machine."""
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(
                name
                for name in folders
                if not name.startswith(".") and os.path.realpath(Path(folder, name)) != self._skipped
            )
            yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))


def _split_pattern(pattern: str) -> tuple[Path, list[str]]:
    """Return the folder before the first part that is a pattern, and the parts from there on.

    A part that exists as it is written is no pattern: folders may have brackets in their names.
    """
    parts = PurePath(pattern).parts
    root = Path(parts[0]) if PurePath(pattern).is_absolute() else Path()
    rest = list(parts[1:] if PurePath(pattern).is_absolute() else parts)
    while len(rest) > 1 and (_MAGIC.isdisjoint(rest[0]) or os.path.lexists(root / rest[0])):
        root /= rest.pop(0)
    return root, rest


def _expand(root: Path, parts: list[str], walk: object) -> Iterator[Path]:
    """Yield the files that a pattern stands for, below ``root``."""
    if not parts:
        yield root
        return
    first, rest = parts[0], parts[1:]
    if first == "**":
        if not rest:
            yield from walk(root)  # type: ignore[operator]  # a method of the search
            return
        yield from _expand(root, rest, walk)
        for folder in sorted(glob.glob("*/", root_dir=root)):  # noqa: PTH207 - hidden ones are left out
            yield from _expand(root / folder, parts, walk)
    elif os.path.lexists(root / first):
        yield from _expand(root / first, rest, walk)
    else:
        for name in sorted(glob.glob(first, root_dir=root)):  # noqa: PTH207 - as above
            yield from _expand(root / name, rest, walk)


def _is_sidecar(path: Path) -> bool:
    return path.suffix == ".json" and path.with_suffix("").is_file()


def _count(paths: Sequence[Path], noun: str) -> str:
    return f"passed over {len(paths)} {noun}{'' if len(paths) == 1 else 's'}"


def _name(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths[:_MOST_NAMED]) + (", ..." if len(paths) > _MOST_NAMED else "")


def _free_names(relatives: Sequence[PurePath], labels: Sequence[str], suffix: str) -> list[PurePath]:
    def name(relative: PurePath, stem: str, label: str) -> PurePath:
        return relative.with_name(f"{stem}-{label}{suffix}" if label else f"{stem}{suffix}")

    pairs = list(zip(relatives, labels, strict=True))
    short = [name(relative, relative.stem, label) for relative, label in pairs]
    # Some file systems do not tell capitals from small letters.
    wanted = Counter(str(path).casefold() for path in short)
    names: list[PurePath] = []
    taken: set[str] = set()
    for (relative, label), path in zip(pairs, short, strict=True):
        free = path if wanted[str(path).casefold()] == 1 else name(relative, relative.name, label)
        number = 2
        while str(free).casefold() in taken:
            free = name(relative, f"{relative.name}-{number}", label)
            number += 1
        taken.add(str(free).casefold())
        names.append(free)
    return names
