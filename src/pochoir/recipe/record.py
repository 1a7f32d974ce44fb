"""What made a picture: written into it, and enough to make it again."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from pochoir.errors import InputError
from pochoir.recipe.recipe import Recipe


@dataclass(frozen=True)
class InputFile:
    """One picture that a run read.

    Attributes:
        role: What it was used for: ``"photo"``, ``"style"``, ``"subject style"``, ``"background style"``, ``"mask"``,
            ``"scribble"``, ``"backdrop"``, ``"init"``, or a style's followed by ``" mask"``.
        name: File name, a built-in style's name, or ``"<image>"`` for a picture in memory.
        path: The path as it was given; None for what was not a file.
        sha256: Of the file's bytes; of the pixels for what was not a file.
    """

    role: str
    name: str
    path: str | None
    sha256: str


@dataclass(frozen=True)
class Record:
    """The recipe of a run and what it met.

    Attributes:
        version: Version of pochoir.
        torch: Version of torch.
        recipe: All settings.
        inputs: The pictures that were read.
        weights: sha256 of each weight file that was used, by name.
        device: The device that was used, for example ``"cpu"``.
        threads: The number of CPU threads that was used.
        engine: What computed the painting's features: ``"kernels"`` (compiled, for the CPU), ``"torch"``, or
            ``"bfloat16"`` (torch in half precision, for GPUs). They agree but for rounding, so the pictures' bytes
            differ.
    """

    version: str
    torch: str
    recipe: Recipe
    inputs: tuple[InputFile, ...]
    weights: dict[str, str]
    device: str
    threads: int
    engine: str = "torch"

    def to_json(self) -> str:
        """This record as one line of JSON. The same run gives the same line: it holds no times."""
        values = {**asdict(self), "recipe": self.recipe.to_dict()}
        text = json.dumps({"pochoir": values.pop("version"), **values}, ensure_ascii=False, separators=(",", ":"))
        # A file name that is not UTF-8 holds lone surrogates, which no file can; escaped like this they are JSON, too.
        return text.encode(errors="backslashreplace").decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a record.

        Raises:
            InputError: The text is not a record, or lacks a part; errors of the recipe inside are told as they are.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            return cls(
                version=str(values["pochoir"]),
                torch=str(values["torch"]),
                recipe=Recipe.from_dict(values["recipe"]),
                inputs=tuple(_read_input(entry) for entry in values["inputs"]),
                weights=dict(values["weights"]),
                device=str(values["device"]),
                threads=int(values["threads"]),
                engine=str(values.get("engine", "torch")),  # earlier records do not name it: there was one
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise InputError(f"This is not a record that pochoir wrote ({type(error).__name__}: {error}).") from error


def _read_input(values: dict[str, Any]) -> InputFile:
    entry = InputFile(**values)
    if not all(isinstance(text, str) for text in (entry.role, entry.name, entry.path or "", entry.sha256)):
        raise TypeError(f"an input is described by texts, not by {values}")
    return entry


def hash_file(path: Path) -> str:
    """The sha256 of a file's bytes, as a record keeps it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
