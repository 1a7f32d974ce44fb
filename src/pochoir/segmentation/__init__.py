"""Finding the subject of a photo: segmenters, and what is done to their mattes."""

from pochoir.segmentation.grabcut import GrabCutSegmenter
from pochoir.segmentation.matting import overlay, refine_matte, trimap
from pochoir.segmentation.protocol import Segmentation, Segmenter
from pochoir.segmentation.registry import create_segmenter
from pochoir.segmentation.u2net import U2NetSegmenter

__all__ = [
    "GrabCutSegmenter",
    "Segmentation",
    "Segmenter",
    "U2NetSegmenter",
    "create_segmenter",
    "overlay",
    "refine_matte",
    "trimap",
]
