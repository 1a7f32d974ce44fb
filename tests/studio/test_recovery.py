"""A killed painter or server loses nothing; two servers share one folder."""

import json
import time
import urllib.request

import psutil
import pytest

from .conftest import OWN, Server, picture_bytes

pytestmark = pytest.mark.weights


def call(server, method, path, body=None, **headers):
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    kind = {"Content-Type": "application/json"} if isinstance(body, dict) else {}
    request = urllib.request.Request(  # noqa: S310
        server.address.rstrip("/") + path, method=method, data=data, headers=OWN | kind | headers
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        text = answer.read()
    return json.loads(text) if text else None


def begin(server, *, steps: int, size: int = 96):
    photo = call(server, "POST", "/api/photos", picture_bytes(120, 90), **{"X-File-Name": "lemon.png", "X-Batch": "1"})
    style = next(each["id"] for each in call(server, "GET", "/api/styles") if each["name"] == "mosaic")
    order = {"photo": photo["id"], "looks": {"whole": [{"id": style}]}, "settings": {"size": size, "steps": steps}}
    return call(server, "POST", "/api/jobs", order)["jobs"][0]


def wait_until(server, check, seconds=150.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        jobs = call(server, "GET", "/api/jobs")
        if check(jobs):
            return jobs
        time.sleep(0.1)
    raise AssertionError(call(server, "GET", "/api/jobs"))


def painters(server):
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_a_killed_painter_and_a_killed_server_go_on(tmp_path):
    server = Server(tmp_path / "pictures")
    try:
        job = begin(server, steps=150)
        wait_until(server, lambda jobs: jobs and jobs[0]["done"] >= 3)
        for process in painters(server):
            process.kill()
        wait_until(server, lambda jobs: not jobs or jobs[0]["done"] >= 1)
        server.kill()
        server.start()
        left = call(server, "GET", "/api/jobs")
        assert not left or left[0]["id"] == job["id"]
        wait_until(server, lambda jobs: not jobs)
        history = call(server, "GET", "/api/history")
        assert len(history) == 1
        assert [path.suffix for path in server.folder.iterdir() if path.is_file() and path.name[0] != "."] == [".png"]
    finally:
        assert server.stop() in (0, 130)


def test_two_servers_on_one_folder(tmp_path):
    first, second = Server(tmp_path / "pictures"), Server(tmp_path / "pictures")
    try:
        begin(first, steps=4, size=48)
        begin(second, steps=5, size=48)
        wait_until(first, lambda jobs: not jobs)
        wait_until(second, lambda jobs: not jobs)
        deadline = time.monotonic() + 30
        while len(call(first, "GET", "/api/history")) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)
        names = {item["name"] for item in call(first, "GET", "/api/history")}
        assert names == {item["name"] for item in call(second, "GET", "/api/history")}
        assert len(names) == 2
    finally:
        first.stop()
        second.stop()
