import gzip

import pytest
from starlette.requests import Request

from pochoir.errors import InputError
from pochoir.studio.uploads import clean_name, receive, unzip_exactly
from support.loops import run_coroutine


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.png", "a.png"),
        ("%2e%2e%2fx.png", "x.png"),
        ("caf%C3%A9%20%231.jpg", "café #1.jpg"),
        ("", "picture"),
        ("...", "picture"),
        (".jpg", "picture.jpg"),
        ("a\x00b\n.png", "ab.png"),
        ("x" * 300 + ".png", "x" * 100 + ".png"),
    ],
)
def test_names_are_harmless(given, kept):
    assert clean_name(given) == kept


@pytest.mark.parametrize("chunks", [[b"half"], []])
def test_an_upload_that_is_broken_off_leaves_nothing(tmp_path, chunks):
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.disconnect"})

    async def get():
        return messages.pop(0)

    async def upload():
        async with receive(Request({"type": "http", "headers": []}, get), tmp_path):
            raise AssertionError

    with pytest.raises(InputError, match="broken off"):
        run_coroutine(upload())
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def zipped(tmp_path):
    def write(data: bytes):
        path = tmp_path / "mask.gz"
        path.write_bytes(data)
        return path

    return write


def test_a_mask_comes_back_exactly(zipped):
    data = bytes(range(256)) * 10
    assert unzip_exactly(zipped(gzip.compress(data)), len(data)) == data


@pytest.mark.parametrize("size", [2559, 2561])
def test_a_mask_of_another_size_is_refused(zipped, size):
    with pytest.raises(InputError, match=f"{size} bytes, one for each pixel"):
        unzip_exactly(zipped(gzip.compress(bytes(2560))), size)


def test_a_bomb_is_not_unpacked(zipped):
    with pytest.raises(InputError, match="100 bytes"):
        unzip_exactly(zipped(gzip.compress(bytes(200_000_000))), 100)


@pytest.mark.parametrize(
    "data", [b"no gzip", gzip.compress(bytes(1000), mtime=0)[:-9], b""], ids=["text", "cut", "empty"]
)
def test_a_damaged_mask_is_refused(zipped, data):
    with pytest.raises(InputError, match="mask"):
        unzip_exactly(zipped(data), 1000)
