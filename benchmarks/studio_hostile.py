"""Send hostile requests to a studio and count what goes wrong: python benchmarks/studio_hostile.py [--count 2000].

A studio is started on a temporary folder. Requests are drawn from a seed: wrong hosts and origins, paths that lead out
of the folder, bodies that are no pictures or no orders. The counts are of statuses, tracebacks, answers later than five
seconds, and new files outside the studio's folder.
"""

import argparse
import http.client
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HANG_S = 5.0
IDS = ("0123456789abcdef", "..%2f..%2fetc", "%00", "ffffffffffffffff", "x" * 300, "ünïcode", "/etc/passwd", "-1", "")
ROUTES = (
    "/api/photos/{}", "/api/photos/{}/image", "/api/photos/{}/mask", "/api/photos/{}/subject", "/api/styles/{}",
    "/api/styles/{}/thumb", "/api/jobs/{}", "/api/jobs/{}/stop", "/api/jobs/{}/preview", "/api/history/{}",
    "/api/history/{}/image", "/api/history/{}/recipe", "/static/{}", "/{}", "/api/photos", "/api/styles", "/api/jobs",
    "/api/state", "/api/sample{}", "/api/videos", "/api/videos/{}", "/api/videos/{}/frames/1",
    "/api/videos/{}/frames/{}",
    "/api/videos/{}/frames/0/matte", "/api/videos/{}/preview", "/api/videos/{}/preview/{}", "/api/films", "/api/clips",
    "/api/history/{}/resume", "/api/photos/{}/motions",
)  # fmt: skip
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW")
BODIES = (
    b"", b"{", b"[]", b"null", b"\x00" * 1000, b"\x89PNG\r\n\x1a\n" + b"\xff" * 200, b"\xff\xd8\xff\xe0" + b"a" * 500,
    json.dumps({"photo": "x", "looks": {"whole": [{"id": "y", "weight": 1e308}]}}).encode(),
    json.dumps({"photo": "0123456789abcdef", "settings": {"backdrop": "/etc/passwd"}}).encode(),
    json.dumps({"video": "x", "film": {"corrections": [{"frame": -1, "mask": "/etc/passwd"}]}}).encode(),
    json.dumps({"keep_points": [[10**12, -5]] * 300}).encode(), b'{"a":' * 3000, b"GIF89a" + b"\x01" * 100,
)  # fmt: skip


def draw_request(rng: random.Random, port: int) -> tuple[str, str, dict[str, str], bytes]:
    """Return method, path, headers and body of one request."""
    path = rng.choice(ROUTES).format(*rng.choices(IDS, k=2))
    path = re.sub(r"[^\x21-\x7e]", lambda match: f"%{ord(match[0]) % 256:02x}", path) or "/"
    if rng.random() < 0.2:
        path += rng.choice(
            ("?format=exe", "?as=layers&format=ora", "?v=" + "9" * 500, "?recipe=maybe", "/../../etc/passwd")
        )
    headers = {"Host": f"127.0.0.1:{port}", "X-Pochoir": "1"}
    if rng.random() < 0.3:
        headers["Host"] = rng.choice(("evil.example", "", f"127.0.0.1:{port}.evil.example", "localhost"))
    if rng.random() < 0.3:
        headers["Origin"] = rng.choice(("http://evil.example", "null", "file://", f"http://127.0.0.1:{port}"))
    if rng.random() < 0.2:
        del headers["X-Pochoir"]
    if rng.random() < 0.3:
        headers["Content-Type"] = rng.choice(("application/json", "text/plain", "multipart/form-data", "\x7f"))
    if rng.random() < 0.2:
        headers["X-File-Name"] = rng.choice(("../../x.png", "a" * 3000, "%00.png", "CON", "%2e%2e%2f", "-"))
    return rng.choice(METHODS), path, headers, rng.choice(BODIES)


def send(port: int, request: tuple[str, str, dict[str, str], bytes]) -> tuple[str, float, bytes]:
    """Send a request; return status, seconds and the answer."""
    method, path, headers, body = request
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_S)
    began = time.monotonic()
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return str(answer.status), time.monotonic() - began, answer.read(100_000)
    except TimeoutError:
        return "hang", time.monotonic() - began, b""
    except (OSError, http.client.HTTPException, ValueError) as error:
        return type(error).__name__, time.monotonic() - began, b""
    finally:
        connection.close()


def main() -> None:
    """Start a studio, send the requests, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as parent:
        folder, errors = Path(parent, "pictures"), Path(parent, "errors.txt")
        command = [sys.executable, "-m", "pochoir", "studio", "--folder", str(folder), "--port", "0", "--no-browser"]
        with errors.open("wb") as sink:
            server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sink, text=True)
        assert server.stdout is not None
        port = int(re.search(r":(\d+)/", server.stdout.readline())[1])  # type: ignore[index]
        statuses: Counter[str] = Counter()
        slowest, leaks = 0.0, 0
        for _ in range(arguments.count):
            status, seconds, answer = send(port, draw_request(rng, port))
            statuses[status] += 1
            slowest = max(slowest, seconds)
            leaks += b"root:" in answer or b"Traceback" in answer or str(folder).encode() in answer
        alive = server.poll() is None
        server.terminate()
        server.wait()
        outside = [path.name for path in Path(parent).iterdir() if path not in (folder, errors)]
        tracebacks = errors.read_bytes().count(b"Traceback")
    print("statuses", dict(statuses.most_common()))
    print(f"slowest {slowest:.2f} s, leaks {leaks}, tracebacks {tracebacks}, outside {outside}, alive {alive}")


if __name__ == "__main__":
    main()
