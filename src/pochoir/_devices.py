"""The devices of this machine."""

import torch

from pochoir.errors import OptionError


def resolve_device(name: str) -> str:
    """Return the device that a recipe's ``device`` stands for on this machine.

    Raises:
        OptionError: This machine has no such device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if name.startswith("cuda"):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(name.partition(":")[2] or 0) >= count:
            raise OptionError(f"There is no device {name} here: torch finds {count} CUDA devices. Use --device auto.")
    if name == "mps" and not torch.backends.mps.is_available():
        raise OptionError("There is no device mps here. Use --device auto.")
    return name
