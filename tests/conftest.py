"""What holds for every test: no network, nothing written outside ``tmp_path``, and a few small pictures."""

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image, ImageDraw

from pochoir import weights

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = ("localhost", "127.", "::1", "0.0.0.0")  # noqa: S104

# The database would be a file in the repository, and a shared machine may be slow at any moment.
settings.register_profile("pochoir", database=None, deadline=None)
settings.load_profile("pochoir")


@pytest.fixture(scope="session", autouse=True)
def _weights_of_the_user_but_not_their_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Find the weights where the user keeps them, but give the tests another home, which has to stay empty."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POCHOIR_HOME", str(weights.home()))
        patch.setenv("HOME", str(home))
        patch.setenv("USERPROFILE", str(home))
        patch.setenv("MPLCONFIGDIR", str(tmp_path_factory.mktemp("matplotlib")))  # it lists the fonts once
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            patch.delenv(name, raising=False)
        yield
    written = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
    assert not written, f"tests wrote into the user's home: {written}"


@pytest.fixture(scope="session", autouse=True)
def _repository_stays_as_it_is() -> Iterator[None]:
    before = _files_of_the_repository()
    yield
    written = sorted(_files_of_the_repository() - before)
    assert not written, f"tests wrote into the repository: {written}"


def _files_of_the_repository() -> set[str]:
    """All files but those of tools (hidden folders, byte code) and those that a person may be writing meanwhile."""
    found = set()
    for folder, names, files in os.walk(REPOSITORY):
        names[:] = [name for name in names if not name.startswith(".") and name != "__pycache__"]
        found.update(str(Path(folder, name)) for name in files if not name.endswith((".py", ".md")))
    return found


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small tensors gain nothing from a second thread, and on a busy machine the threads wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _loopback_is_up() -> None:
    """Some tests run a server for themselves, but in a fresh network namespace (``unshare -n``) even loopback is down.

    Whoever may make such a namespace may also switch its loopback on; where not, those tests fail and say why.
    """
    if not sys.platform.startswith("linux"):
        return
    import fcntl

    get_flags, set_flags, is_up = 0x8913, 0x8914, 1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle, contextlib.suppress(OSError):
        answer = fcntl.ioctl(handle, get_flags, struct.pack("16sh14x", b"lo", 0))
        _, flags = struct.unpack("16sh14x", answer)
        if not flags & is_up:
            fcntl.ioctl(handle, set_flags, struct.pack("16sh14x", b"lo", flags | is_up))


@pytest.fixture(autouse=True)
def _scheduling_stays() -> Iterator[None]:
    """A library that makes the process real-time, as SVT-AV1 does for root, stops the browser and then all tests."""
    yield
    if hasattr(os, "sched_getscheduler"):
        assert os.sched_getscheduler(0) == os.SCHED_OTHER, "the test left this process with real-time scheduling"


@pytest.fixture(autouse=True)
def _no_faces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for no faces, whether the detector is in the cache or not, but in tests that use trained weights."""
    if request.node.get_closest_marker("weights") is None:
        for module in ("faces", "scene"):
            monkeypatch.setattr(f"pochoir.{module}.choose_mode", lambda recipe: "off")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sockets reach this machine only."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def connect_here(self: socket.socket, address: object) -> None:
        _refuse_elsewhere(address)
        connect(self, address)

    def connect_ex_here(self: socket.socket, address: object) -> int:
        _refuse_elsewhere(address)
        return connect_ex(self, address)

    def getaddrinfo_here(host: str | bytes | None, *args: object, **kwargs: object) -> object:
        if host:
            _refuse_elsewhere((host.decode() if isinstance(host, bytes) else host,))
        return getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex_here)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo_here)


def _refuse_elsewhere(address: object) -> None:
    # An address that is no tuple is a socket in the file system.
    if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
        raise OSError(f"Tests have no network; something wanted to reach {address[0]}.")


@pytest.fixture(autouse=True)
def _grad_mode_is_left_on() -> Iterator[None]:
    yield
    assert torch.is_grad_enabled()


@pytest.fixture
def disc_matte() -> torch.Tensor:
    """A disc with a soft edge in the middle of 48 rows and 64 columns, shape (1, 1, 48, 64)."""
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    distance = torch.hypot(y - 23.5, x - 31.5)
    return ((16.0 - distance) / 3.0 + 0.5).clamp(0.0, 1.0)[None, None]


@pytest.fixture
def photo_file(tmp_path: Path) -> Path:
    """A little landscape with a bright ball in the middle, as a PNG of 64x48 pixels."""
    y, x = np.mgrid[0:48, 0:64]
    sky = np.stack([60 + 2 * y, 110 + x, 200 - 2 * y], axis=-1).astype(np.uint8)
    picture = Image.fromarray(sky)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((16, 8, 48, 40), fill=(240, 210, 60))
    draw.ellipse((22, 14, 32, 22), fill=(255, 250, 220))
    path = tmp_path / "photo.png"
    picture.save(path)
    return path


@pytest.fixture
def mask_file(tmp_path: Path) -> Path:
    """The ball of ``photo_file`` in white on black."""
    mask = Image.new("L", (64, 48), 0)
    ImageDraw.Draw(mask).ellipse((16, 8, 48, 40), fill=255)
    path = tmp_path / "mask.png"
    mask.save(path)
    return path


@pytest.fixture
def style_file(tmp_path: Path) -> Path:
    """Red and green stripes with some noise, as a PNG of 40x56 pixels."""
    stripes = np.zeros((56, 40, 3), dtype=np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (220, 40, 40), (40, 160, 60)
    noise = np.random.default_rng(0).integers(0, 30, stripes.shape, dtype=np.uint8)
    path = tmp_path / "style.png"
    Image.fromarray(stripes + noise).save(path)
    return path
