"""The record of what made a film, inside the film."""

import json
import os
import re
from html import escape, unescape
from pathlib import Path
from typing import Final

from PIL import Image

from pochoir.errors import InputError

RECORD_KEY: Final = "pochoir"
"""Name of the record among a file's texts."""
RECORD_FILE: Final = "record.json"
"""Name of the record in a folder of frames."""
_XMP = re.compile(r"<pochoir:record>(.*?)</pochoir:record>", re.DOTALL)


def to_xmp(record: str) -> bytes:
    """Return an XMP packet that holds a record."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:pochoir="urn:pochoir">'
        f"<pochoir:record>{escape(record, quote=False)}</pochoir:record>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def read_film_record(path: str | os.PathLike[str]) -> str:
    """Return the record in a film that pochoir wrote.

    Raises:
        InputError: There is no such file, it cannot be read, or it holds no record.
    """
    target = Path(path)
    if not target.exists():
        raise InputError(f"Cannot read the recipe in {str(target)!r}: there is no such file.")
    try:
        record = _find(target)
    except (OSError, ValueError, KeyError, SyntaxError) as error:
        raise InputError(f"Cannot read the recipe in {str(target)!r}: {error}.") from error
    if not record:
        raise InputError(f"{str(target)!r} holds no recipe; pochoir did not make it, or another program dropped it.")
    return record


def _find(path: Path) -> str | None:
    if path.is_dir():
        inside = path / RECORD_FILE
        return inside.read_text(encoding="utf-8") if inside.exists() else None
    suffix = path.suffix.lower()
    if suffix == ".json":
        found = json.loads(path.read_text(encoding="utf-8"))["meta"].get(RECORD_KEY)
        return None if found is None else str(found)
    if suffix in (".mp4", ".mov", ".webm", ".mkv"):
        return _in_container(path)
    with Image.open(path) as image:
        if suffix == ".gif":
            comment = image.info.get("comment", b"")
            return comment.decode() if comment else None
        if suffix == ".png":
            text = image.info.get(RECORD_KEY)
            return None if text is None else str(text)
        packet = image.info.get("xmp", b"")
    match = _XMP.search(packet.decode("utf-8", "replace"))
    return unescape(match.group(1)) if match else None


def _in_container(path: Path) -> str | None:
    from pochoir.video.pyav import av

    with av().open(str(path)) as container:
        comments = {key.lower(): value for key, value in container.metadata.items()}
    return comments.get("comment")
