import asyncio

import pytest
from starlette.testclient import TestClient

from pochoir.studio.app import build_app
from pochoir.studio.folder import Folder
from pochoir.studio.parts import Studio
from pochoir.studio.security import Closing, Guard, allowed_hosts
from pochoir.studio.service import Service
from support.loops import run_coroutine

from .conftest import OWN, picture_bytes


@pytest.fixture
def client(app):
    return TestClient(app)


def test_the_page_and_its_policy(client):
    answer = client.get("/")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "127.0.0.1:1", ""])
def test_another_host_is_refused(client, host):
    for path in ("/", "/api/state", "/static/style.css"):
        assert client.get(path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example", **OWN},
        {"Origin": "null", **OWN},
        {"Origin": "http://testserver:81", **OWN},
        {"Sec-Fetch-Site": "cross-site", **OWN},
        {},
        {"Content-Type": "text/plain"},
    ],
)
def test_changes_by_other_pages_are_refused(client, headers):
    answer = client.post("/api/photos", content=picture_bytes(), headers=headers)
    assert answer.status_code == 403
    assert client.delete("/api/styles/0123456789abcdef", headers=headers).status_code == 403


def test_reading_by_other_pages_is_refused(client):
    assert client.get("/api/state", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/api/state", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/api/photos/..%2f..%2fetc/image",
        "/api/photos/%2fetc%2fpasswd/mask",
        "/api/history/..%2f.pochoir/image",
        "/api/styles/....//thumb",
        "/api/photos/0123456789ABCDEF/image",
    ],
)
def test_no_path_leads_out(client, path):
    answer = client.get(path)
    assert answer.status_code in (404, 405)
    assert b"root:" not in answer.content


class TestToken:
    @pytest.fixture
    def client(self, tmp_path):
        studio = Studio(Folder(tmp_path))
        yield TestClient(build_app(Service(lambda: studio), hosts=frozenset(), token="secret"), follow_redirects=False)  # noqa: S106
        studio.queue.close()

    def test_nothing_without_it(self, client):
        for path in ("/", "/api/state", "/static/style.css"):
            assert client.get(path).status_code == 401
        assert client.get("/?token=wrong").status_code == 401
        assert client.post("/api/sample", headers=OWN | {"Authorization": "Bearer wrong"}).status_code == 401

    def test_the_address_gives_a_cookie(self, client):
        first = client.get("/?token=secret")
        assert first.status_code == 303
        assert first.headers["location"] == "/"
        assert "HttpOnly" in first.headers["set-cookie"]
        assert "samesite=strict" in first.headers["set-cookie"].lower()
        assert client.get("/").status_code == 200

    def test_scripts_send_it_as_a_header(self, client):
        assert client.get("/api/styles", headers={"Authorization": "Bearer secret"}).status_code == 200


@pytest.mark.parametrize("begins", [True, False])
def test_a_request_that_the_end_of_the_server_cuts_off(begins):
    sent = []

    async def endless(scope, receive, send):
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(3600)

    async def note(message):
        sent.append(message)

    async def run():
        task = asyncio.ensure_future(Closing(endless)({"type": "http"}, None, note))
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    run_coroutine(run())
    assert [message.get("status") for message in sent] == ([200] if begins else [503, None])


def test_any_host_needs_a_token():
    with pytest.raises(ValueError, match="needs a token"):
        Guard(lambda *_: None, hosts=())


def test_hosts_of_this_machine():
    assert allowed_hosts("127.0.0.1", 8420) == {"127.0.0.1:8420", "localhost:8420", "[::1]:8420"}
    assert "localhost" in allowed_hosts("localhost", 80)
    assert allowed_hosts("0.0.0.0", 8420) == frozenset()  # noqa: S104
