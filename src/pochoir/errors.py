"""Errors that pochoir raises on purpose.

PochoirError                    base of all; catch it to catch every one
├── InputError                  an input or an option cannot be used (the command line exits with 2)
│   ├── ImageReadError          a picture is missing, empty, truncated or not a picture
│   ├── OptionError             a value is out of bounds, or two options contradict each other
│   ├── UnknownNameError        a name is not among the allowed ones
│   ├── EmptyRegionError        a region to be painted has no pixels
│   ├── ShapeError              tensors whose sizes should agree do not
│   └── OutputPathError         the output path cannot be used or would overwrite an input
├── WeightsError                weights are absent or wrong (the command line exits with 3)
│   ├── WeightsMissingError     a weight file is not in the cache
│   └── WeightsDownloadError    a weight file could not be fetched or failed its checksum
├── DivergedError               the optimiser met a loss that is not a number
├── MissingExtraError           an optional dependency is not installed
├── PluginError                 a plug-in of another package cannot be used
└── WriteError                  a file could not be written (disk full, permissions)
"""

import difflib
from collections.abc import Iterable

MAX_LISTED = 16
"""Number of allowed names that a message lists."""


class PochoirError(Exception):
    """Base of all errors that pochoir raises on purpose; its text is one readable line."""


class InputError(PochoirError):
    """An input or an option cannot be used."""


class ImageReadError(InputError):
    """A picture is missing, empty, truncated or not a picture."""


class OptionError(InputError):
    """An option's value is out of bounds, or two options contradict each other."""


class UnknownNameError(InputError):
    """A name is not among the allowed ones.

    Args:
        kind: Word for such a name, for example ``"style"``.
        given: Unknown name.
        allowed: Names that exist; of more than ``MAX_LISTED`` the message lists the nearest.
        hint: Further sentence, for example the command that lists the names.
    """

    def __init__(self, kind: str, given: str, allowed: Iterable[str], hint: str = "") -> None:
        names = list(allowed)
        by_lower = {name.lower(): name for name in names}
        near = [by_lower[name] for name in difflib.get_close_matches(given.lower(), by_lower, n=len(names), cutoff=0.6)]
        ordered = near + [name for name in names if name not in near]
        listed = ", ".join(ordered[:MAX_LISTED])
        rest = len(ordered) - MAX_LISTED
        listed += f" and {rest} more" if rest > 0 else ""
        question = f" Did you mean {near[0]!r}?" if near else ""
        tail = f" {hint}" if hint else ""
        super().__init__(f"Unknown {kind} {given!r}.{question} Allowed: {listed}.{tail}")
        self.kind = kind
        self.given = given
        self.allowed = tuple(ordered)
        self.hint = hint

    def __reduce__(self) -> tuple[type["UnknownNameError"], tuple[str, str, tuple[str, ...], str]]:
        # By default exceptions are unpickled from their text; this one is made from its parts.
        return type(self), (self.kind, self.given, self.allowed, self.hint)


class EmptyRegionError(InputError):
    """A region that is to be painted has no pixels."""


class ShapeError(InputError):
    """Tensors whose sizes should agree do not."""


class OutputPathError(InputError):
    """The output path cannot be used, or would overwrite an input."""


class WeightsError(PochoirError):
    """Trained weights are absent or wrong."""


class WeightsMissingError(WeightsError):
    """A weight file is not in the cache."""


class WeightsDownloadError(WeightsError):
    """A weight file could not be fetched, or failed its checksum."""


class DivergedError(PochoirError):
    """The optimiser met a loss that is not a finite number where it started."""


class MissingExtraError(PochoirError):
    """An optional dependency is not installed; the text says which extra brings it."""


class PluginError(PochoirError):
    """A plug-in of another package cannot be used; the text names both."""


class WriteError(PochoirError):
    """A file could not be written: disk full, no permission."""
