"""Moving pictures in and out. The package knows frames, not what they show."""

from pochoir.video.film import Film, Frame
from pochoir.video.records import read_film_record
from pochoir.video.write import FORMATS, check_film_output, format_of, save

__all__ = ["FORMATS", "Film", "Frame", "check_film_output", "format_of", "read_film_record", "save"]
