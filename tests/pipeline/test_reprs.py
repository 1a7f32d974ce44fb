"""Texts of values stay short: a tensor in one would fill the screen, and take seconds."""

import torch

import pochoir
from pochoir import compositing, imaging, segmentation
from pochoir.similarity import Exhibit, Framing
from pochoir.transfer import Region

LONGEST = 300
"""Characters; a line or three of a terminal."""


def test_no_value_prints_its_tensors(photo_file, mask_file, style_file, disc_matte, quick):
    picture = imaging.load(photo_file)
    matte = imaging.load_matte(mask_file, size=picture.size)
    found = pochoir.segment(photo_file, segmenter="grabcut", box=(16, 8, 32, 32), with_parts=True, with_doubt=True)
    painting = pochoir.iter_stylize(photo_file, style=style_file, **quick)
    step = list(painting)[-1]
    assert step.checkpoint is not None
    for value in (
        picture,
        matte,
        found,
        found.parts,
        found.doubt,
        painting,
        painting.scene,
        step,
        step.checkpoint,
        painting.result(),
        compositing.estimate_layers(picture.rgb, disc_matte),
        segmentation.Corrections(torch.zeros(1, 1, 48, 64), torch.zeros(1, 1, 48, 64)),
        Exhibit(picture, matte),
        Exhibit(picture, matte).view(Framing()),
        Region(disc_matte, [(picture.rgb, 1.0)]),
    ):
        text = repr(value)
        assert "tensor(" not in text, type(value)
        assert len(text) < LONGEST, text
