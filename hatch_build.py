"""Build hook: write the README for a package index, and the project's addresses.

An index shows the README without the repository beside it. So relative links and pictures become addresses in the
public repository. Its address is POCHOIR_REPOSITORY_URL, or the repository that GitHub Actions builds. Without an
address, links become plain text and pictures are left out, since they would be broken.
"""

import os
import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?!https?://|#)(?P<target>[^)]+)\)")


class CustomMetadataHook(MetadataHookInterface):
    def update(self, metadata: dict[str, object]) -> None:
        address = repository_address()
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": readme_for_index(text, address)}
        metadata["urls"] = project_urls(address)


def repository_address() -> str:
    """Return the address of the public repository, or an empty text if it is not known."""
    server, name = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    known = f"{server}/{name}" if server and name else ""
    return os.environ.get("POCHOIR_REPOSITORY_URL", known).rstrip("/")


def readme_for_index(text: str, address: str) -> str:
    """Return the README with absolute links, or without links and pictures if there is no address."""

    def absolute(match: re.Match[str]) -> str:
        if not address:
            return "" if match["picture"] else match["text"]
        kind = "raw" if match["picture"] else "blob"
        return f"{match['picture']}[{match['text']}]({address}/{kind}/HEAD/{match['target']})"

    return re.sub(r"\n{3,}", "\n\n", _LINK.sub(absolute, text))


def project_urls(address: str) -> dict[str, str]:
    """Return the addresses that an index shows beside the project."""
    if not address:
        return {}
    pages = {"Changelog": "CHANGELOG.md", "Documentation": "docs/index.md"}
    urls = {name: f"{address}/blob/HEAD/{path}" for name, path in pages.items()}
    return {"Source": address, "Issues": f"{address}/issues", **urls}
