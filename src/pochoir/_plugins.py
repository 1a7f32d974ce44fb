"""Plug-ins: segmenters, metrics and styles of other packages, found by their entry points."""

import functools
from typing import TYPE_CHECKING, Any

from pochoir.errors import PluginError, PochoirError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

SEGMENTERS = "pochoir.segmenters"
"""Entry points: functions of ``SegmentSettings`` and a device that return a ``Segmenter``."""
METRICS = "pochoir.metrics"
"""Entry points: functions of a device that return a ``Metric``."""
STYLES = "pochoir.styles"
"""Entry points: functions of a ``Size`` and a seed that return an RGB picture, uint8, shape (height, width, 3)."""


def plugin_names(group: str) -> tuple[str, ...]:
    """Return the names of the plug-ins of a group, in order. None of them is imported."""
    return tuple(sorted(_find(group)))


def package_of(group: str, name: str) -> str:
    """Return the name and version of the package that a plug-in belongs to."""
    package = _find(group)[name].dist
    return "an unknown package" if package is None else f"{package.name} {package.version}"


def load_plugin(group: str, name: str) -> Any:
    """Import a plug-in.

    Raises:
        PluginError: It cannot be imported, or is not a function.
    """
    try:
        plugin = _find(group)[name].load()
    except Exception as error:  # another package's code may raise anything
        raise PluginError(_describe(group, name, f"{type(error).__name__}: {error}")) from error
    if not callable(plugin):
        raise PluginError(_describe(group, name, f"it is of type {type(plugin).__name__}, not a function"))
    return plugin


def call_plugin(group: str, name: str, *arguments: Any) -> Any:
    """Import a plug-in and call it.

    Raises:
        PluginError: It cannot be imported, or raises an error that is not one of pochoir's.
    """
    plugin = load_plugin(group, name)
    try:
        return plugin(*arguments)
    except PochoirError:
        raise
    except Exception as error:
        raise PluginError(_describe(group, name, f"{type(error).__name__}: {error}")) from error


@functools.cache
def _find(group: str) -> dict[str, "EntryPoint"]:
    from importlib.metadata import entry_points  # here, because it takes longer to import than all of this package

    return {point.name: point for point in entry_points(group=group)}


def _describe(group: str, name: str, reason: str) -> str:
    kind = group.removeprefix("pochoir.").removesuffix("s")
    return f"The {kind} {name!r} of {package_of(group, name)} cannot be used ({' '.join(reason.split())})."
