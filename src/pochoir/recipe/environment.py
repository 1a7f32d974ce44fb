"""Environment: the machine, the versions and the weights that a picture was made with."""

from pydantic import Field

from pochoir._version import __version__
from pochoir.recipe.model import FrozenModel


class Environment(FrozenModel):
    """Machine, versions and weights that a picture is made with.

    Attributes:
        version: Version of pochoir.
        torch: Version of torch.
        weights: sha256 of each weight file that is used, by name.
        device: Device that is used, for example ``"cpu"``.
        threads: Number of CPU threads that are used.
        engine: Code that computes the features: ``"kernels"`` (compiled, for CPUs), ``"torch"``, or ``"bfloat16"``
            (torch in half precision, for GPUs). They agree but for rounding, so the pictures' bytes differ.
    """

    field_noun = "field of an environment"

    version: str = __version__
    torch: str
    weights: dict[str, str] = Field(default_factory=dict)
    device: str
    threads: int = Field(ge=0, le=1_000_000, strict=True)
    engine: str = "torch"
