"""Parts that all routes use."""

from typing import Annotated

from fastapi import Depends, Request

from pochoir.studio.models import Photo
from pochoir.studio.parts import Studio


def get_studio(request: Request) -> Studio:
    """Return the studio that a request is for."""
    found: Studio = request.app.state.studio
    return found


Parts = Annotated[Studio, Depends(get_studio)]
CACHED = {"Cache-Control": "private, max-age=86400"}
"""Headers of pictures that never change under their address."""


def find_again(studio: Studio, photo: Photo) -> Photo:
    """Find the subject of a photo that came with a batch, or with a server that was killed."""
    if studio.photos.is_forgotten(photo):
        studio.begin(studio.photos.find_subject(photo.id))
    return photo
