"""The API as a script uses it, up to painting; the assistant's process is real."""

import gzip
import io
import json
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from pochoir import styles
from pochoir.studio.app import build_app
from pochoir.studio.folder import Folder
from pochoir.studio.parts import Studio
from pochoir.studio.service import Service

from .conftest import OWN, picture_bytes

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    studio = Studio(Folder(tmp_path_factory.mktemp("api")))
    with TestClient(build_app(Service(lambda: studio), hosts=frozenset({"testserver"})), headers=OWN) as opened:
        opened.studio = studio
        yield opened


def upload(client, data, *, name="photo.png", path="/api/photos", **headers):
    return client.post(path, content=data, headers={"X-File-Name": name, **headers})


def wait_for_mask(client, id_, *, before=None):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        photo = client.get(f"/api/photos/{id_}").json()
        if photo["state"] != "finding" and photo["mask_version"] != before:
            return photo
        time.sleep(0.05)
    raise AssertionError("the subject was not found in time")


@pytest.fixture(scope="module")
def photo(client):
    answer = upload(client, picture_bytes())
    assert answer.status_code == 200, answer.text
    return wait_for_mask(client, answer.json()["id"])


def mask_of(client, id_):
    answer = client.get(f"/api/photos/{id_}/mask")
    assert answer.status_code == 200
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.mode == "L"
        return np.asarray(picture)


def test_state_is_whole(client):
    state = client.get("/api/state").json()
    assert [style["name"] for style in state["styles"]][: len(styles.NAMES)] == list(styles.NAMES)
    assert "strength" in state["settings"]


def test_the_description_names_every_call(client):
    description = client.get("/api/openapi.json").json()
    assert {"/api/photos", "/api/jobs", "/api/history/{id_}/image"} <= description["paths"].keys()
    for methods in description["paths"].values():
        assert all(call["description"] for call in methods.values())
    assert client.get("/docs").status_code == 200


def test_a_photo_is_read_and_its_subject_found(client, photo):
    assert (photo["width"], photo["height"], photo["name"]) == (60, 40, "photo.png")
    mask = mask_of(client, photo["id"])
    assert mask.shape == (40, 60)
    assert mask[20, 30] > 200
    assert mask[2, 2] < 50
    shown = client.get(f"/api/photos/{photo['id']}/image")
    assert shown.headers["content-type"] == "image/png"


def test_the_same_file_is_the_same_photo(client, photo):
    assert upload(client, picture_bytes(), name="other.png").json()["id"] == photo["id"]


def test_a_drawn_mask_comes_back_exactly(client, photo):
    drawn = np.random.default_rng(3).integers(0, 256, (40, 60), dtype=np.uint8)
    answer = client.put(f"/api/photos/{photo['id']}/mask", content=gzip.compress(drawn.tobytes()))
    assert answer.status_code == 200
    assert answer.json()["mask_version"] != photo["mask_version"]
    assert np.array_equal(mask_of(client, photo["id"]), drawn)


def test_a_mask_of_another_size_is_refused(client, photo):
    answer = client.put(f"/api/photos/{photo['id']}/mask", content=gzip.compress(bytes(10)))
    assert answer.status_code == 422
    assert "2400 bytes" in answer.json()["error"]


def test_an_uploaded_mask_is_scaled_to_the_photo(client, photo):
    picture = Image.new("L", (120, 80), 0)
    picture.paste(255, (0, 0, 60, 80))
    file = io.BytesIO()
    picture.save(file, format="PNG")
    assert upload(client, file.getvalue(), path=f"/api/photos/{photo['id']}/mask").status_code == 200
    mask = mask_of(client, photo["id"])
    assert mask[:, :28].min() == 255
    assert mask[:, 32:].max() == 0


def test_points_and_reset_find_the_subject_again(client, photo):
    before = client.get(f"/api/photos/{photo['id']}").json()["mask_version"]
    hints = {"drop_points": [[30, 20]]}
    answer = client.post(f"/api/photos/{photo['id']}/subject", json=hints)
    assert answer.json()["state"] == "finding"
    found = wait_for_mask(client, photo["id"], before=before)
    assert found["corrections"]["drop_points"] == [[30, 20]]
    assert mask_of(client, photo["id"])[20, 30] < 128
    client.delete(f"/api/photos/{photo['id']}/mask")
    found = wait_for_mask(client, photo["id"], before=found["mask_version"])
    assert mask_of(client, photo["id"])[20, 30] > 200


def test_own_styles(client):
    style = upload(client, picture_bytes(seed=7), name="My look.png", path="/api/styles").json()
    assert style["name"] == "My look"
    assert client.get(f"/api/styles/{style['id']}/thumb").headers["content-type"] == "image/webp"
    assert style["id"] in {each["id"] for each in client.get("/api/styles").json()}
    assert client.delete(f"/api/styles/{style['id']}").status_code == 204
    assert style["id"] not in {each["id"] for each in client.get("/api/styles").json()}
    builtin = client.get("/api/styles").json()[0]
    assert client.get(f"/api/styles/{builtin['id']}/thumb").status_code == 200
    assert client.delete(f"/api/styles/{builtin['id']}").status_code == 422


def png_bomb() -> bytes:
    """Return a small PNG of 60000 x 60000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (60000).to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", picture_bytes()[:200], b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", png_bomb()],
    ids=["empty", "text", "truncated", "svg", "header", "bomb"],
)
@pytest.mark.parametrize("path", ["/api/photos", "/api/styles"])
def test_no_pictures_are_refused_in_one_line(client, data, path):
    answer = upload(client, data, path=path)
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]
    assert str(client.studio.folder.root) not in answer.json()["error"]
    assert not any(client.studio.folder.uploads.iterdir())


@pytest.mark.parametrize("with_length", [True, False])
def test_too_large_uploads_are_refused(client, monkeypatch, with_length):
    import pochoir.studio.api.photos as api

    monkeypatch.setattr(api, "receive", lambda request, folder: api_receive(request, folder, limit=1000))
    from pochoir.studio.uploads import receive as api_receive

    data = bytes(5000)
    body = data if with_length else iter([data[:2500], data[2500:]])
    answer = upload(client, body)
    assert answer.status_code == 413
    assert not any(client.studio.folder.uploads.iterdir())


@pytest.mark.parametrize(
    ("order", "text", "field"),
    [
        ({}, "Choose a look first", None),
        ({"settings": {"strength": 9}, "looks": True}, "strength must be between 0 and 1", "strength"),
        ({"settings": {"colour": "x"}, "looks": True}, "Unknown", None),
        ({"settings": {"time": "soon"}, "looks": True}, "A time is above 0 and written like", "time"),
        ({"grid": ["strength=0.2,9"], "looks": True}, "strength must be between 0 and 1", "strength"),
        ({"grid": ["a=1", "b=2", "c=3"], "looks": True}, "grid must", "grid"),
        ({"settings": {"backdrop": "/etc/passwd"}, "looks": True}, "backdrop must be", "backdrop"),
    ],
)
def test_orders_that_are_refused(client, photo, order, text, field):
    style = client.get("/api/styles").json()[0]["id"]
    looks = {"whole": [{"id": style}]} if order.pop("looks", False) else {}
    answer = client.post("/api/jobs", json={"photo": photo["id"], "looks": looks, **order})
    assert answer.status_code == 422
    assert text in answer.json()["error"]
    assert answer.json()["field"] == field
    assert client.get("/api/jobs").json() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/photos/0123456789abcdef"),
        ("GET", "/api/photos/0123456789abcdef/mask"),
        ("POST", "/api/jobs/0123456789abcdef/stop"),
        ("GET", "/api/jobs/0123456789abcdef/preview"),
        ("GET", "/api/history/0123456789abcdef/image"),
        ("DELETE", "/api/history/0123456789abcdef"),
        ("GET", "/api/styles/0123456789abcdef/thumb"),
    ],
)
def test_unknown_ids(client, method, path):
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"].endswith((".", "again."))


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"photo": 3}', json.dumps({"photo": "x" * 10_000}).encode()])
def test_bodies_that_are_no_orders(client, body):
    answer = client.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")
    assert "Traceback" not in answer.text


def test_foreign_pictures_in_the_folder_are_not_history(client):
    (client.studio.folder.root / "holiday.png").write_bytes(picture_bytes())
    (client.studio.folder.root / "broken.png").write_bytes(b"nothing")
    assert client.get("/api/history").json() == []
    assert (client.studio.folder.root / "holiday.png").exists()


def test_the_assistant_comes_back_after_its_death(client, photo):
    import psutil

    (pid,) = client.studio.assistant._pool._processes
    psutil.Process(pid).kill()
    answer = upload(client, picture_bytes(seed=99), **{"X-Batch": "1"})
    assert answer.status_code == 200, answer.text
