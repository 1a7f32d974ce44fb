"""Segmenters that find the subject of a photo, and corrections and refinements of their mattes."""

from pochoir.segmentation.components import find_parts, select_parts, show_parts
from pochoir.segmentation.confidence import measure_doubt
from pochoir.segmentation.corrections import Corrections, correct_matte, read_corrections
from pochoir.segmentation.grabcut import GrabCutSegmenter
from pochoir.segmentation.matting.refine import overlay, refine_matte
from pochoir.segmentation.matting.trimaps import trimap
from pochoir.segmentation.pipeline import GivenMatte, find_subject
from pochoir.segmentation.protocol import Doubt, Parts, Segmentation, Segmenter
from pochoir.segmentation.registry import create_segmenter, weights_of
from pochoir.segmentation.u2net import U2NetSegmenter

__all__ = [
    "Corrections",
    "Doubt",
    "GivenMatte",
    "GrabCutSegmenter",
    "Parts",
    "Segmentation",
    "Segmenter",
    "U2NetSegmenter",
    "correct_matte",
    "create_segmenter",
    "find_parts",
    "find_subject",
    "measure_doubt",
    "overlay",
    "read_corrections",
    "refine_matte",
    "select_parts",
    "show_parts",
    "trimap",
    "weights_of",
]
