"""A loopback server with switchable behaviour, and rows that point at it."""

import hashlib
import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pochoir.weights import WeightFile, store
from pochoir.weights.sources import Source

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several chunks


@dataclass
class Site:
    """What the server does, by path; a list is worked off one request after the other, its last item stays."""

    address: str
    behaviours: dict[str, list[str]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, *behaviours: str) -> str:
        self.behaviours[f"/{path}"] = list(behaviours)
        return f"{self.address}/{path}"

    def next_behaviour(self, path: str) -> str:
        self.requests.append(path)
        queue = self.behaviours.get(path, ["404"])
        return queue.pop(0) if len(queue) > 1 else queue[0]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        behaviour = site.next_behaviour(self.path)
        if behaviour == "404":
            self.send_error(404)
            return
        body = b"x" + CONTENT[1:] if behaviour == "wrong" else CONTENT
        self.send_response(200)
        if behaviour == "endless":
            body = CONTENT * 3
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if behaviour in {"cut", "stalled"}:
            body = body[: len(body) // 2]
        self.wfile.write(body)
        if behaviour == "stalled":
            self.wfile.flush()
            site.started.set()
            site.release.wait(120)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the tests."""


@pytest.fixture
def content() -> bytes:
    """What the server serves when it behaves."""
    return CONTENT


@pytest.fixture
def site() -> Iterator[Site]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.site = Site(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.site  # type: ignore[attr-defined]
    server.site.release.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder that does not exist yet."""
    for variable in ("POCHOIR_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "deep" / "cache"
    monkeypatch.setenv("POCHOIR_HOME", str(folder))
    return folder


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Callable[..., WeightFile]:
    """Puts one row, "tiny", in the place of the table."""

    def install(*sources: Source, content: bytes = CONTENT) -> WeightFile:
        row = WeightFile(
            name="tiny",
            filename="tiny.bin",
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            licence="CC0",
            about="Counts to 255.",
            sources=sources,
        )
        monkeypatch.setattr(store, "TABLE", {"tiny": row})
        return row

    return install


@pytest.fixture
def find_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all that pip sees."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PATH", str(folder))  # pip asks rustc for its version, and rustup writes into the home for that
    return folder


@pytest.fixture
def make_wheel(find_links: Path) -> Callable[[Mapping[str, bytes]], Path]:
    """Builds the wheel tinyweights 1.0 with the given files; it asks for a Python that nobody has."""

    def make(members: Mapping[str, bytes]) -> Path:
        path = find_links / "tinyweights-1.0-py3-none-any.whl"
        info = "tinyweights-1.0.dist-info"
        metadata = (
            "Metadata-Version: 2.1\nName: tinyweights\nVersion: 1.0\nRequires-Python: <3\nRequires-Dist: nowhere\n"
        )
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
            archive.writestr(f"{info}/METADATA", metadata)
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return path

    return make


@pytest.fixture
def make_sdist(find_links: Path) -> Callable[[Mapping[str, bytes]], str]:
    """Builds the source archive tinyweights 1.0 with the given files, and returns its SHA-256.

    Its build backend is in the archive itself, so pip needs nothing else, and leaves a mark where it was run.
    """

    def make(members: Mapping[str, bytes]) -> str:
        path = find_links / "tinyweights-1.0.tar.gz"
        metadata = b"Metadata-Version: 2.1\nName: tinyweights\nVersion: 1.0\n"
        mark = find_links / "the-backend-ran"
        backend = (
            "import pathlib\n"
            f"pathlib.Path({str(mark)!r}).touch()\n"
            "def prepare_metadata_for_build_wheel(folder, config_settings=None):\n"
            "    info = pathlib.Path(folder) / 'tinyweights-1.0.dist-info'\n"
            "    info.mkdir()\n"
            f"    (info / 'METADATA').write_bytes({metadata!r})\n"
            "    return info.name\n"
            "def build_wheel(*_):\n"
            "    raise SystemExit('nobody needs a wheel')\n"
        )
        project = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        files = {**members, "PKG-INFO": metadata, "backend.py": backend.encode(), "pyproject.toml": project.encode()}
        with tarfile.open(path, "w:gz") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(f"tinyweights-1.0/{name}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return hashlib.sha256(path.read_bytes()).hexdigest()

    return make
