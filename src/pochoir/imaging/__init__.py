"""Pictures in and out: reading, converting, resizing, writing, contact sheets.

PIL images, uint8 arrays and files exist only here; the rest of pochoir sees float tensors.
"""

from pochoir.imaging.alpha import AlphaJudgement, AlphaKind, fill_hidden, judge_alpha
from pochoir.imaging.decoding import is_still, picture_suffixes
from pochoir.imaging.display import encode_preview, to_image
from pochoir.imaging.integrity import is_intact
from pochoir.imaging.openraster import Layer, save_layers
from pochoir.imaging.options import SaveOptions
from pochoir.imaging.outputs import (
    FORMAT_OF_SUFFIX,
    check_output,
    check_place,
    holds_alpha,
    holds_layers,
    is_stream,
    make_folder,
    needs_sidecar,
    sidecar_of,
)
from pochoir.imaging.picture import Matte, Picture, PictureSource
from pochoir.imaging.png import RECORD_KEY
from pochoir.imaging.raster import Metadata
from pochoir.imaging.reading import load, load_matte
from pochoir.imaging.resizing import resize, resize_with_alpha
from pochoir.imaging.sheets import contact_sheet
from pochoir.imaging.writing import read_record, save, write_file

__all__ = [
    "FORMAT_OF_SUFFIX",
    "RECORD_KEY",
    "AlphaJudgement",
    "AlphaKind",
    "Layer",
    "Matte",
    "Metadata",
    "Picture",
    "PictureSource",
    "SaveOptions",
    "check_output",
    "check_place",
    "contact_sheet",
    "encode_preview",
    "fill_hidden",
    "holds_alpha",
    "holds_layers",
    "is_intact",
    "is_still",
    "is_stream",
    "judge_alpha",
    "load",
    "load_matte",
    "make_folder",
    "needs_sidecar",
    "picture_suffixes",
    "read_record",
    "resize",
    "resize_with_alpha",
    "save",
    "save_layers",
    "sidecar_of",
    "to_image",
    "write_file",
]
