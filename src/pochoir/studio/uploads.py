"""Request bodies, read in bounded memory."""

import contextlib
import hashlib
import os
import re
import tempfile
import unicodedata
import urllib.parse
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from starlette.requests import ClientDisconnect, Request

from pochoir.errors import InputError, WriteError

UPLOAD_LIMIT = 256 << 20
"""Largest upload in bytes."""
CHUNK = 1 << 20


class TooLargeError(InputError):
    """The request's body is larger than allowed."""


class Upload(NamedTuple):
    """File that was sent, at a temporary place."""

    path: Path
    name: str
    """File name as the sender gave it, without folders and control characters."""
    sha256: str


@asynccontextmanager
async def receive(request: Request, folder: Path, *, limit: int = UPLOAD_LIMIT) -> AsyncIterator[Upload]:
    """Write a request's body to a temporary file in ``folder``; it is removed at the end.

    Raises:
        TooLargeError: The body is larger than ``limit`` bytes.
        InputError: The body is empty, or was broken off.
        WriteError: The disk is full, or the folder cannot be written.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    digest, total = hashlib.sha256(), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, place = tempfile.mkstemp(prefix="upload-", dir=folder)
    except OSError as error:
        raise WriteError(f"Cannot write to {folder}: {error.strerror or error}.") from error
    path = Path(place)
    try:
        with os.fdopen(handle, "wb") as file:
            async for chunk in _read(request):
                total += len(chunk)
                if total > limit:
                    raise _too_large(limit)
                digest.update(chunk)
                try:
                    file.write(chunk)
                except OSError as error:
                    raise WriteError(f"Cannot keep the upload: {error.strerror or error}.") from error
        if not total:
            raise InputError("The upload is empty.")
        yield Upload(path, clean_name(request.headers.get("x-file-name", "")), digest.hexdigest())
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


async def _read(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:  # nobody hears of it, and it is no fault of the server
        raise InputError("The upload was broken off.") from error


def unzip_exactly(path: Path, size: int) -> bytes:
    """Return a gzip file's contents, which have to be exactly ``size`` bytes.

    Raises:
        InputError: The file is damaged, or holds more or fewer bytes.
    """
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    parts: list[bytes] = []
    total = 0
    try:
        for chunk in _chunks(path):
            part = inflater.decompress(chunk, size - total + 1)
            parts.append(part)
            total += len(part)
            if total > size:
                break
    except zlib.error as error:
        raise InputError(f"The mask cannot be read: {error}.") from error
    if total != size or not inflater.eof:
        raise InputError(f"The mask has to be {size} bytes, one for each pixel of the photo.")
    return b"".join(parts)


def clean_name(text: str) -> str:
    """Return a harmless file name for the one that a sender gave."""
    name = unicodedata.normalize("NFC", urllib.parse.unquote(text, errors="replace"))
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(char for char in name if char.isprintable() and char not in '<>:"|?*').strip().rstrip(".")
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    encoded = stem.encode()[:100].decode(errors="ignore").strip(" .") or "picture"
    return f"{encoded}.{suffix[:10]}" if suffix else encoded


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The upload is larger than {limit >> 20} MB.")
