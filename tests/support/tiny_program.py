"""The program with an encoder that is quick, and a segmenter that takes what is bright: for tests that kill it."""

import sys

import torch

from pochoir import loading, session
from pochoir.encoders import tiny_encoder
from pochoir.segmentation import Segmentation


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


if __name__ == "__main__":
    from pochoir.cli import main

    use_quick_parts(setattr)
    main()
