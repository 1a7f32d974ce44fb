"""Neural style transfer by optimising a picture's pixels (Gatys et al., arXiv:1508.06576)."""

from pochoir.transfer.anchors import Anchor as Anchor
from pochoir.transfer.criterion import Losses as Losses
from pochoir.transfer.emphasis import Emphasis as Emphasis
from pochoir.transfer.emphasis import build_emphasis as build_emphasis
from pochoir.transfer.grain import NOISY_ABOVE as NOISY_ABOVE
from pochoir.transfer.grain import measure_noise as measure_noise
from pochoir.transfer.memory import expected_bytes as expected_bytes
from pochoir.transfer.memory import give_back as give_back
from pochoir.transfer.paint import Checkpoint as Checkpoint
from pochoir.transfer.paint import Step as Step
from pochoir.transfer.paint import iter_paint as iter_paint
from pochoir.transfer.pyramid import Region as Region
from pochoir.transfer.pyramid import Sample as Sample
from pochoir.transfer.targets import StyleTargets as StyleTargets
