"""The program with an encoder that is quick, and a segmenter that takes what is bright: for tests that kill it."""

import os
import signal
import sys
import time

import torch

from pochoir import loading, session
from pochoir.encoders import tiny_encoder
from pochoir.segmentation import Segmentation
from pochoir.sequence.shots import KEY
from pochoir.sequence.store import FolderStore


class Bright:
    """Segmenter for which the subject is what is bright."""

    name = "bright"

    def segment(self, photo: torch.Tensor) -> Segmentation:
        return Segmentation((photo.mean(dim=1, keepdim=True) > 0.6).float(), method=self.name)


def use_quick_parts(patch) -> None:
    """Replace what is slow; ``patch`` is ``setattr`` or that of pytest's ``monkeypatch``."""
    encoder = tiny_encoder()
    patch(loading, "load_encoder", lambda *_, **__: encoder)
    patch(session, "create_segmenter", lambda *_, **__: Bright())
    for module in ("pochoir.faces", "pochoir.scene"):
        patch(sys.modules[module], "choose_mode", lambda recipe: "off")


def wait_after_keys(patch, count: int) -> None:
    """Have the program wait for a signal once it has kept so many keys of a film, so that it cannot end before."""
    write = FolderStore.write_picture
    left = count

    def write_and_wait(store, kind, index, picture):
        nonlocal left
        write(store, kind, index, picture)
        left -= kind == KEY
        if kind == KEY and left == 0:
            handler = signal.getsignal(signal.SIGINT)
            while signal.getsignal(signal.SIGINT) is handler:  # Ctrl-C may put another in its place
                time.sleep(0.01)

    patch(FolderStore, "write_picture", write_and_wait)


if __name__ == "__main__":
    from pochoir.cli import main

    use_quick_parts(setattr)
    if "WAIT_AFTER_KEYS" in os.environ:
        wait_after_keys(setattr, int(os.environ["WAIT_AFTER_KEYS"]))
    main()
