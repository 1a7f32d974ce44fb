"""Networks that run in the ``rembg`` package, under its own sessions: ``--segmenter rembg:NAME``.

rembg manages their weights: it looks in its own folders and fetches a missing file on first use. ``MODELS`` lists the
networks on offer and the licences of their weights. Networks that need a prompt or a file, and those that send the
photo to another computer, are left out.
"""

import logging
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pochoir.errors import MissingExtraError, OptionError, UnknownNameError, WeightsDownloadError, WeightsMissingError
from pochoir.recipe import REMBG_PREFIX
from pochoir.segmentation.protocol import Segmentation, check_photo, coverage_notes
from pochoir.weights.store import OFFLINE_VARIABLE, is_offline

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RembgModel:
    """Network of the rembg package.

    Attributes:
        licence: Licence of its weights, which rembg's own licence does not cover.
        is_for_everyone: Whether the licence allows commercial use.
        about: Strengths, in a few words.
    """

    licence: str
    is_for_everyone: bool
    about: str


MODELS: dict[str, RembgModel] = {
    "birefnet-general": RembgModel("MIT", True, "BiRefNet: slow, large, the finest edges"),
    "birefnet-general-lite": RembgModel("MIT", True, "BiRefNet with a smaller backbone"),
    "birefnet-portrait": RembgModel("MIT", True, "BiRefNet for people"),
    "birefnet-dis": RembgModel("MIT", True, "BiRefNet for thin and holed things"),
    "birefnet-hrsod": RembgModel("MIT", True, "BiRefNet for large photos"),
    "birefnet-cod": RembgModel("MIT", True, "BiRefNet for camouflaged things"),
    "birefnet-massive": RembgModel("MIT", True, "BiRefNet trained on more pictures"),
    "isnet-general-use": RembgModel("Apache-2.0", True, "IS-Net: finer than U2-Net, 1024 pixels"),
    "isnet-anime": RembgModel("Apache-2.0", True, "IS-Net for drawn characters"),
    "u2net": RembgModel("Apache-2.0", True, "U2-Net, as rembg feeds it"),
    "u2netp": RembgModel("Apache-2.0", True, "U2-Net-p, as rembg feeds it"),
    "u2net_human_seg": RembgModel("Apache-2.0", True, "U2-Net for people"),
    "silueta": RembgModel("Apache-2.0", True, "U2-Net made smaller: 43 MB"),
    "bria-rmbg": RembgModel("BRIA RMBG-2.0", False, "RMBG-2.0: non-commercial use only without a paid agreement"),
}
"""Networks on offer, by rembg's names."""


class RembgSegmenter:
    """Segmenter that runs one of rembg's networks.

    Args:
        name: One of ``MODELS``.

    Raises:
        UnknownNameError: There is no such network.
        MissingExtraError: The rembg package, or the onnxruntime that it needs, is not installed.
        WeightsMissingError: Its file is not there, and ``POCHOIR_OFFLINE`` forbids to fetch it.
        WeightsDownloadError: rembg could not fetch its file.
        OptionError: The installed rembg is too old to know the network.
    """

    def __init__(self, name: str) -> None:
        if name not in MODELS:
            raise UnknownNameError("rembg network", name, MODELS)
        self.name = f"{REMBG_PREFIX}{name}"
        rembg = _import_rembg(self.name)
        self._notes: tuple[str, ...] = ()
        model = MODELS[name]
        if not model.is_for_everyone:
            self._notes += (f"{self.name}: its weights ({model.licence}) are for non-commercial use only.",)
        if not _is_there(name):
            _refuse_if_offline(self.name)
            _log.warning("%s: rembg fetches the weights on this first use", self.name)
            self._notes += (f"{self.name}: rembg fetched the weights over the network on this first use.",)
        try:
            self._session = rembg.new_session(name)
        except ValueError as error:
            raise OptionError(
                f"The installed rembg does not know {name!r}; update it: pip install -U rembg."
            ) from error
        except OSError as error:
            raise WeightsDownloadError(f"rembg could not fetch the weights of {name!r}: {error}.") from error

    def segment(self, photo: Tensor) -> Segmentation:
        """Find the subject of a photo.

        Args:
            photo: Shape (1, 3, H, W), RGB in [0, 1].

        Returns:
            The matte that rembg gives, in 8 bits.

        Raises:
            ShapeError: The photo has another shape.
        """
        size = check_photo(photo)
        pixels = photo[0].permute(1, 2, 0).mul(255.0).round().clamp(0, 255).byte().cpu().numpy()  # (H, W, 3)
        mask = self._session.predict(Image.fromarray(pixels))[0].convert("L")
        if mask.size != (size.width, size.height):
            mask = mask.resize((size.width, size.height), Image.Resampling.LANCZOS)
        matte = torch.from_numpy(np.asarray(mask, np.float32) / 255.0)[None, None].to(photo.device)
        return Segmentation(matte=matte, method=self.name, notes=(*coverage_notes(matte), *self._notes))


def _import_rembg(wanted: str) -> Any:
    try:
        return import_module("rembg")
    except (ImportError, SystemExit) as error:  # it ends the process when it finds no onnxruntime
        raise MissingExtraError(
            f'{wanted} needs the rembg package with onnxruntime: pip install "pochoir[rembg]".'
        ) from error


def _refuse_if_offline(wanted: str) -> None:
    if is_offline():
        name = wanted.removeprefix(REMBG_PREFIX)
        raise WeightsMissingError(
            f"The weights of {wanted} are not there, and {OFFLINE_VARIABLE} forbids to fetch them. With a network: "
            f"rembg d {name}; or put {name}.onnx into the folder that U2NET_HOME names."
        )


def _is_there(name: str) -> bool:
    """Return whether rembg will find the file, in its present folders or in those of its earlier versions."""
    data, home = os.environ.get("XDG_DATA_HOME"), os.environ.get("U2NET_HOME")
    root = Path(data, "rembg") if data else Path("~/.rembg")
    homes = [Path(home)] if home else [Path(os.environ.get("REMBG_HOME", root)), Path(data or "~", ".u2net")]
    file = f"{name}.onnx"
    places = [place for folder in homes for place in (folder / "models" / name / file, folder / file)]
    return any(place.expanduser().is_file() for place in places)
