"""Content hashes."""

import functools
import hashlib
from pathlib import Path


def hash_file(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_large_file(path: Path) -> str:
    """Return the sha256 of a file's bytes; a file that has not changed since is not read again."""
    found = path.stat()
    return _hash_once(path, found.st_mtime_ns, found.st_size, found.st_ino)


@functools.lru_cache(maxsize=64)
def _hash_once(path: Path, _modified_ns: int, _size: int, _inode: int) -> str:
    return hash_file(path)
