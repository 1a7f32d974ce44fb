"""Runs rembg's own ``remove`` for ``mattes.py``, in whatever interpreter has rembg.

A line of JSON in, ``{"photo": PATH, "alpha_matting": BOOL, "out": PATH}``, gives a line out, ``{"seconds": S}``; the
cutout is written as PNG, the time is that of ``remove`` alone.
"""

import contextlib
import json
import os
import sys
import time
from importlib.metadata import version


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    with contextlib.redirect_stdout(sys.stderr):
        import onnxruntime
        from PIL import Image
        from rembg import new_session, remove

        session = new_session("u2net")
        threads = session.inner_session.get_session_options().intra_op_num_threads
        about = {"rembg": version("rembg"), "onnxruntime": onnxruntime.__version__, "threads": threads}
        answers.write(json.dumps(about) + "\n")
        for line in sys.stdin:
            order = json.loads(line)
            with Image.open(order["photo"]) as photo:
                photo.load()
                start = time.perf_counter()
                cutout = remove(photo, session=session, alpha_matting=order["alpha_matting"])
            seconds = time.perf_counter() - start
            cutout.save(order["out"])
            answers.write(json.dumps({"seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
