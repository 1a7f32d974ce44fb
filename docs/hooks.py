"""Hooks of MkDocs: generate reference pages, turn links outside the site into text, and check all links."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import typer
from mkdocs.exceptions import BuildError
from mkdocs.structure.files import File, Files

from pochoir.cli.app import app
from pochoir.recipe import GROUPS, format_setting, settings_table

ROOT = Path(__file__).parents[1]
REPOSITORY_FILES = ("README.md", "THIRD_PARTY.md", "CONTRIBUTING.md", "CITATION.cff")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of settings, of commands and of changes."""
    pages = {
        "reference/settings.md": describe_settings(),
        "reference/commands.md": describe_commands(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn links to files outside the site into plain text."""
    names = "|".join(re.escape(name) for name in REPOSITORY_FILES)
    return re.sub(rf"\[([^\]]+)\]\((?:\.\./)+(?:{names}|benchmarks/[^)]*)\)", r"\1", markdown)


def on_post_build(config: Any) -> None:
    """Check that every link and picture of the site leads to a file, and every fragment to its place.

    MkDocs checks Markdown links alone, and neither HTML nor the report.
    """
    site = Path(config["site_dir"])
    pages = {path: _Links(path) for path in site.rglob("*.html") if path.name != "404.html"}
    broken = [
        f"{path.relative_to(site)}: {link}"
        for path, page in pages.items()
        for link in page.links
        if not _leads_somewhere(path, link, pages)
    ]
    if broken:
        raise BuildError("Broken links:\n" + "\n".join(sorted(broken)))


class _Links(HTMLParser):
    """Links of a page, and the names of its places."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.add(value)
            elif name in ("id", "name") and value:
                self.places.add(value)


def _leads_somewhere(page: Path, link: str, pages: dict[Path, _Links]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True  # the site links to few other places, which cannot be checked offline
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return False
    return not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].places


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
            bounds = "" if item.low is None else f"{_number(item.low)} to {_number(item.high)}"
            allowed = ", ".join(item.choices) if item.choices else bounds
            default = "" if item.default is None or item.default in ((), "") else format_setting(item.default)
            lines.append(f"| `{item.label}` | {default} | {allowed} | {_cell(item.help)}. |")
        lines.append("")
    return "\n".join(lines)


def describe_commands() -> str:
    """Return the page of all commands and their own options."""
    lines = [
        "# Commands",
        "",
        "Options that are settings of a recipe have [a page of their own](settings.md). `pochoir COMMAND --help` shows "
        "the options that most people need, `--help-all` shows all.",
        "",
    ]
    settings = {f"--{item.label}": item.help for item in settings_table().values()}
    for name, command in _commands(typer.main.get_command(app), "pochoir"):
        text = (command.help or "").split("\f")[0].strip()
        lines += [f"## {name}", "", text, ""]
        lines += _options(command, settings)
    return "\n".join(lines)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield name, command
        return
    for label, child in subcommands.items():
        yield from _commands(child, f"{name} {label}")


def _options(command: Any, settings: dict[str, str]) -> list[str]:
    rows = []
    for option in command.params:
        names = [*option.opts, *option.secondary_opts]
        if option.param_type_name == "argument":
            names = [option.metavar or option.name.upper()]
        text = getattr(option, "help", "") or ""
        # Commands have options of their own under names of settings, such as the size of a cutout.
        is_setting = any(name in settings and text.startswith(settings[name]) for name in names)
        if is_setting or getattr(option, "hidden", False) or option.name == "help_all":
            continue
        value = f" {option.metavar}" if option.metavar and option.param_type_name == "option" else ""
        rows.append(f"| `{'`, `'.join(names)}`{_cell(value)} | {_cell(text)} |")
    return ["| option | help |", "|---|---|", *rows, ""] if rows else []


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
