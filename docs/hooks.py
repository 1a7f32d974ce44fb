"""Hooks of MkDocs: generate the reference of all settings, and point links outside the site at the repository."""

import re
from typing import Any

from mkdocs.structure.files import File, Files

from pochoir.recipe import GROUPS, format_setting, settings_table

REPOSITORY_FILES = ("README.md", "THIRD_PARTY.md", "CONTRIBUTING.md", "CHANGELOG.md")


def on_files(files: Files, config: Any) -> Files:
    """Add the page of settings."""
    files.append(File.generated(config, "reference/settings.md", content=describe_settings()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn links to files outside the site into plain text."""
    names = "|".join(re.escape(name) for name in REPOSITORY_FILES)
    return re.sub(rf"\[([^\]]+)\]\((?:\.\./)+(?:{names}|benchmarks/[^)]*|report/[^)]*)\)", r"\1", markdown)


def describe_settings() -> str:
    """Return the page of all settings, by group."""
    lines = [
        "# Settings",
        "",
        "Each setting is a field of a recipe, an option of the command line, and an axis of a sweep.",
        "",
    ]
    for group in GROUPS:
        lines += [f"## {group.capitalize()}", "", "| setting | default | range | help |", "|---|---|---|---|"]
        for item in settings_table().values():
            if item.group != group:
                continue
            bounds = "" if item.low is None else f"{item.low:g} to {item.high:g}"
            allowed = ", ".join(item.choices) if item.choices else bounds
            default = "" if item.default in (None, (), "", False) else format_setting(item.default)
            help_text = item.help.replace("|", "\\|")
            lines.append(f"| `{item.label}` | {default} | {allowed} | {help_text}. |")
        lines.append("")
    return "\n".join(lines)
