"""Measure the studio's memory over many paintings: python benchmarks/studio_memory.py PHOTO [--count 100].

A studio is started on a temporary folder. Small pictures are ordered one after the other, each in the next style, with
another seed. Of each result the picture, thumbnail, recipe and a cutout are fetched, as the page does.
The resident memory of all processes is read after 10 paintings and every tenth from there on. The exit code is 1 if
the sum at the end exceeds the sum after 10 by more than 15 %.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

OWN = {"X-Pochoir": "1"}
FIRST, ALLOWED = 10, 1.15


def call(address: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Send a request; return the answer's JSON, or its bytes."""
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    kind = {"Content-Type": "application/json"} if isinstance(body, dict) else {}
    request = urllib.request.Request(address + path, method=method, data=data, headers=OWN | kind | headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
        content = answer.read()
        return json.loads(content) if "json" in answer.headers["Content-Type"] else content


def memory(root: psutil.Process) -> dict[str, float]:
    """Return the resident memory of the server and of its workers in MB, the workers in the order of their start."""
    sizes = {"server": root.memory_info().rss / 1e6}
    for number, child in enumerate(sorted(root.children(), key=lambda each: each.create_time()), start=1):
        sizes[f"process {number}"] = child.memory_info().rss / 1e6
    return sizes


def paint(address: str, order: dict[str, Any]) -> None:
    """Order a painting, wait for it, and fetch what the page would."""
    job = call(address, "POST", "/api/jobs", order)["jobs"][0]["id"]
    while any(each["id"] == job for each in call(address, "GET", "/api/jobs")):
        time.sleep(0.2)
    item = next(each for each in call(address, "GET", "/api/history") if each["job"] == job)
    for rest in ("image", "image?as=cutout", "image?format=webp", "thumb", "recipe"):
        call(address, "GET", f"/api/history/{item['id']}/{rest}")


def main() -> int:
    """Paint and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=36)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pochoir", "studio", "--folder", folder, "--port", "0", "--no-browser"]
        server = subprocess.Popen([*command, "--threads", "1"], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        address = re.search(r"http://[^/\s]+", server.stdout.readline())[0]  # type: ignore[index]
        root = psutil.Process(server.pid)
        photo = call(address, "POST", "/api/photos", arguments.photo.read_bytes(), **{"X-File-Name": "photo.jpg"})
        while call(address, "GET", f"/api/photos/{photo['id']}")["state"] == "finding":
            time.sleep(0.2)
        styles = [style["id"] for style in call(address, "GET", "/api/styles")]
        sums = {}
        for number in range(1, arguments.count + 1):
            looks = {"subject": [{"id": styles[number % len(styles)]}], "background": [{"id": styles[0]}]}
            settings = {"size": arguments.size, "steps": arguments.steps, "seed": number}
            paint(address, {"photo": photo["id"], "looks": looks, "settings": settings})
            if number % 10 == 0:
                sizes = memory(root)
                sums[number] = sum(sizes.values())
                rounded = {name: round(size) for name, size in sizes.items()}
                print(number, round(sums[number]), rounded, flush=True)
        server.terminate()
        server.wait()
    growth = sums[max(sums)] / sums[FIRST]
    print(f"after {max(sums)}: {growth:.3f} times the memory after {FIRST}")
    return int(growth > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
