"""Which photos were meant, and where the picture made of each of them goes."""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from pochoir.errors import ImageReadError, OutputPathError

_MAGIC = frozenset("*?[")


@dataclass(frozen=True)
class Job:
    """One photo and the picture to be made of it."""

    photo: Path
    out: Path


@dataclass(frozen=True)
class _Found:
    photo: Path
    relative: PurePath  # to the folder that was named


def are_many(arguments: Sequence[str]) -> bool:
    """Whether what was typed means several photos: more than one name, a folder or a pattern."""
    return len(arguments) != 1 or Path(arguments[0]).is_dir() or _is_pattern(arguments[0])


def plan(arguments: Sequence[str], out: Path, *, suffix: str, suffixes: frozenset[str], force: bool) -> list[Job]:
    """Find the photos and give each a place in the folder ``out``, under the folders that it has below its own.

    A name that is no folder, no pattern and no file is kept: that it is missing is told when its turn comes.

    Args:
        arguments: Names of files and folders, and patterns.
        out: The folder to write into.
        suffix: Extension of what is written, for example ``".png"``.
        suffixes: Extensions, in small letters, by which photos in folders are known.
        force: Allow photos to be overwritten.

    Raises:
        ImageReadError: No photo is found at all.
        OutputPathError: A photo would be overwritten.
    """
    skipped = os.path.realpath(out)
    found: dict[str, _Found] = {}
    for argument in arguments:
        for item in _find(argument, suffixes=suffixes, skipped=skipped):
            found.setdefault(os.path.realpath(item.photo), item)
    if not found:
        raise ImageReadError(f"There is no picture in {' or '.join(map(repr, arguments))}.")
    names = _free_names([item.relative for item in found.values()], suffix)
    jobs = [Job(item.photo, out / name) for item, name in zip(found.values(), names, strict=True)]
    for job in jobs:
        if not force and os.path.realpath(job.out) in found:
            raise OutputPathError(
                f"'{job.out}' is an input and would be overwritten; choose another folder or force it (--force)."
            )
    return jobs


def _is_pattern(argument: str) -> bool:
    return not _MAGIC.isdisjoint(argument) and not os.path.lexists(argument)


def _find(argument: str, *, suffixes: frozenset[str], skipped: str) -> Iterator[_Found]:
    if _is_pattern(argument):
        parts = PurePath(argument).parts
        fixed = next(index for index, part in enumerate(parts) if not _MAGIC.isdisjoint(part))
        root = Path(*parts[:fixed])
        paths: Iterable[Path] = map(Path, sorted(glob.glob(argument, recursive=True)))  # noqa: PTH207 - as it was typed
    elif Path(argument).is_dir():
        root, paths = Path(argument), _walk(Path(argument), skipped)
    else:
        path = Path(argument)
        yield _Found(path, PurePath(path.name or "photo"))
        return
    for path in paths:
        if path.suffix.lower() in suffixes and path.is_file():
            yield _Found(path, path.relative_to(root))


def _walk(root: Path, skipped: str) -> Iterator[Path]:
    """All files below a folder that are not hidden, in the same order on every machine; not what was written before."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and os.path.realpath(Path(folder, name)) != skipped
        )
        yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))


def _free_names(relatives: Sequence[PurePath], suffix: str) -> list[PurePath]:
    """``a.jpg`` becomes ``a.png``; if there is also an ``a.tif``, ``a.jpg.png``; if still taken, ``a.jpg-2.png``."""
    short = [relative.with_suffix(suffix) for relative in relatives]
    # Some file systems do not tell capitals from small letters.
    wanted = Counter(str(name).casefold() for name in short)
    names: list[PurePath] = []
    taken: set[str] = set()
    for relative, name in zip(relatives, short, strict=True):
        free = name if wanted[str(name).casefold()] == 1 else relative.with_name(relative.name + suffix)
        number = 2
        while str(free).casefold() in taken:
            free = relative.with_name(f"{relative.name}-{number}{suffix}")
            number += 1
        taken.add(str(free).casefold())
        names.append(free)
    return names
