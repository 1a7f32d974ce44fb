"""Clips of photos: the subject moves, in the style that it is painted in."""

from pochoir.clips.finished import is_up_to_date, read_record
from pochoir.clips.making import animate, prepare, replay
from pochoir.clips.production import Production
from pochoir.clips.records import holds_clip, is_same_clip

__all__ = [
    "Production",
    "animate",
    "holds_clip",
    "is_same_clip",
    "is_up_to_date",
    "prepare",
    "read_record",
    "replay",
]
