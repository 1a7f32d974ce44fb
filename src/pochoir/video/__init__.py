"""Moving pictures in and out. The package knows frames, not what they show."""

from pochoir.video.codecs import CODECS
from pochoir.video.film import Film, Frame, SoundSource
from pochoir.video.read import Video, VideoFrame, VideoInfo, check_is_moving, open_video
from pochoir.video.records import read_film_record
from pochoir.video.sound import describe_sound
from pochoir.video.write import FORMATS, check_film_output, format_of, save

__all__ = [
    "CODECS",
    "FORMATS",
    "Film",
    "Frame",
    "SoundSource",
    "Video",
    "VideoFrame",
    "VideoInfo",
    "check_film_output",
    "check_is_moving",
    "describe_sound",
    "format_of",
    "open_video",
    "read_film_record",
    "save",
]
