"""Networks, style pictures and style targets that stay loaded for many photos."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self, TypeAlias, Unpack

import torch

from pochoir import imaging
from pochoir._devices import resolve_device
from pochoir._threads import torch_threads
from pochoir.arguments import (
    Arguments,
    SegmentOptions,
    StylizeOptions,
    read_segment_options,
    read_stylize_options,
)
from pochoir.encoders import VGG
from pochoir.errors import OptionError
from pochoir.imaging import AlphaKind, Picture, PictureSource
from pochoir.loading import LoadedEncoder, load_recipe_encoder
from pochoir.mattes import find_given_matte
from pochoir.painting import Painting
from pochoir.recipe import STYLE_FIELDS, Recipe, SegmentSettings
from pochoir.result import Result
from pochoir.scene import Scene
from pochoir.segmentation import Segmentation, Segmenter, create_segmenter, find_subject
from pochoir.sources import load_sources, load_style
from pochoir.transfer import StyleTargets, give_back

STYLES_KEPT_BYTES = 512 << 20
"""Memory that decoded style pictures may take."""

_EncoderKey: TypeAlias = tuple[str, str, str, str]
_SegmenterKey: TypeAlias = tuple[object, ...]


class Session:
    """Paints and segments many photos, and loads and computes once what they share.

    A session keeps the encoder, the segmenter, decoded style pictures and the styles' Gram matrices. Results are equal
    to the last bit to those of ``pochoir.stylize``. Several threads may share a session: each painting that runs at
    the same time as others gets an encoder of its own.

    Args:
        recipe: Settings for every photo; each call can change them.
        many: Segment with compiled kernels: half the time for each photo, but more time to load. Mattes differ from
            those without it by less than 1e-4.
        **options: Further settings, pictures and objects for every photo, as ``stylize`` takes them. A network must not
            be changed while the session uses it.

    Raises:
        InputError: Something that was given cannot be used.

    Examples:
        >>> with pochoir.Session(style="mosaic", size=256) as session:  # doctest: +SKIP
        ...     for photo in Path("photos").iterdir():
        ...         session.stylize(photo).save(f"{photo.stem}-mosaic.png")
    """

    def __init__(self, recipe: Recipe | None = None, *, many: bool = False, **options: Unpack[StylizeOptions]) -> None:
        self.defaults = _decode_styles(read_stylize_options(Arguments(Recipe()).with_recipe(recipe), options))
        self.many = many
        self._threads = torch.get_num_threads()
        self._lock = threading.RLock()
        self._is_open = True
        self._styles = _StyleCache()
        self._targets: dict[_EncoderKey, StyleTargets] = {}
        self._own_targets = StyleTargets()
        self._idle_encoders: dict[_EncoderKey, list[VGG]] = {}
        self._segmenters: dict[_SegmenterKey, Segmenter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        with self._lock:
            encoders = sum(map(len, self._idle_encoders.values()))
            targets = len(self._own_targets) + sum(map(len, self._targets.values()))
        state = "" if self._is_open else "closed, "
        return f"Session({state}{encoders} encoders, {len(self._segmenters)} segmenters, {targets} style targets)"

    def stylize(self, photo: PictureSource, recipe: Recipe | None = None, **options: Unpack[StylizeOptions]) -> Result:
        """Paint a photo; see ``pochoir.stylize``."""
        painting = self.iter_stylize(photo, recipe, **options)
        for _ in painting:
            pass
        return painting.result()

    def iter_stylize(
        self,
        photo: PictureSource,
        recipe: Recipe | None = None,
        *,
        checkpoint: str | Path | None = None,
        started_s: float | None = None,
        **options: Unpack[StylizeOptions],
    ) -> Painting:
        """Prepare to paint a photo, step by step; see ``pochoir.iter_stylize``."""
        self._check_open()
        given = read_stylize_options(self.defaults.with_recipe(recipe), options)
        scene = Scene(
            load_sources(photo, given.recipe, given.pictures, read_style=self._styles.read),
            given.recipe,
            device=resolve_device(given.recipe.device),
            segmenter=given.segmenter,
            create_segmenter=self.find_segmenter,
        )
        return Painting(
            scene,
            encoder=given.encoder,
            open_encoder=self.lend_encoder,
            targets=self._own_targets if given.encoder is self.defaults.encoder else None,
            checkpoint=checkpoint,
            threads=given.recipe.threads or self._threads,
            started_s=started_s,
        )

    def segment(
        self,
        photo: PictureSource,
        *,
        with_parts: bool = False,
        with_doubt: bool = False,
        **options: Unpack[SegmentOptions],
    ) -> Segmentation:
        """Find the subject of a photo; see ``pochoir.segment``."""
        self._check_open()
        given = read_segment_options(self.defaults, options)
        picture = imaging.load(photo)
        scribble = given.pictures.get("scribble", given.recipe.scribble)
        strokes = None if scribble is None else imaging.load(scribble, role="scribble").rgb_or_rgba
        device = resolve_device(given.recipe.device)
        cutout = None if _names_a_segmenter(given) else find_given_matte(picture, None)
        with torch_threads(given.recipe.threads or self._threads):
            found = find_subject(
                picture.rgb,
                given.recipe,
                segmenter=cutout or given.segmenter or self.find_segmenter(given.recipe, device),
                device=device,
                scribble=strokes,
                with_parts=with_parts,
                with_doubt=with_doubt,
            )
        if cutout is not None:
            return replace(found, photo=picture.rgb, notes=(*picture.notes, *found.notes))
        return _within_alpha(found, picture)

    def close(self) -> None:
        """Free everything that is kept. Paintings that were begun can still be finished."""
        with self._lock:
            self._is_open = False
            self._styles.clear()
            self._targets.clear()
            self._own_targets.clear()
            self._idle_encoders.clear()
            self._segmenters.clear()
        give_back()

    def _check_open(self) -> None:
        if not self._is_open:
            raise OptionError("This session is closed; make a new one.")

    def find_segmenter(self, settings: SegmentSettings, device: str) -> Segmenter:
        """Return the segmenter that some settings name, on a device; it stays loaded."""
        with_detail = settings.refine == "best"  # which runs U2-Net once more
        key = (settings.segmenter, settings.preprocess, with_detail, settings.box, settings.grabcut_iterations, device)
        with self._lock:  # so that two threads do not load the same network
            found = self._segmenters.get(key)
            if found is None:
                found = create_segmenter(settings, device=device, many=self.many)
                if self._is_open:
                    self._segmenters[key] = found
            return found

    @contextmanager
    def lend_encoder(self, recipe: Recipe, device: str, engine: str) -> Iterator[LoadedEncoder]:
        """Lend an encoder that no other painting uses.

        Compiled kernels pack weights for the size that is painted, so paintings at different sizes must not share one.
        """
        key = (recipe.encoder, recipe.pooling, device, engine)
        with self._lock:
            idle = self._idle_encoders.setdefault(key, [])
            encoder = idle.pop() if idle else None
            targets = self._targets.setdefault(key, StyleTargets()) if self._is_open else None
        if encoder is None:
            encoder = load_recipe_encoder(recipe, device, engine)
        try:
            yield LoadedEncoder(encoder, targets)
        finally:
            with self._lock:
                if self._is_open:
                    self._idle_encoders.setdefault(key, []).append(encoder)


class _StyleCache:
    """Decoded style pictures by name; a file that has changed is read again. Several threads may use it."""

    def __init__(self, most_bytes: int = STYLES_KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._pictures: OrderedDict[tuple[object, ...], Picture] = OrderedDict()

    def read(self, source: str) -> Picture:
        """Return the style of a name or path, as ``load_style`` does."""
        key = (source, *_describe_file(source))
        with self._lock:  # so that two threads do not read the same picture
            if key not in self._pictures:
                self._pictures[key] = load_style(source)
            self._pictures.move_to_end(key)
            self._drop_oldest()
            return self._pictures[key]

    def clear(self) -> None:
        """Drop all pictures."""
        with self._lock:
            self._pictures.clear()

    def _drop_oldest(self) -> None:
        total = sum(map(_count_bytes, self._pictures.values()))
        while total > self._most_bytes and len(self._pictures) > 1:
            total -= _count_bytes(self._pictures.popitem(last=False)[1])


def _describe_file(source: str) -> tuple[int, ...]:
    """Numbers that change when a file does; nothing for what is not a file."""
    try:
        found = Path(source).stat()
    except (OSError, ValueError):
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _count_bytes(picture: Picture) -> int:
    return 4 * picture.rgb.numel()


def _decode_styles(given: Arguments) -> Arguments:
    """Decode the pictures in memory, so that each of them is decoded once."""
    decoded = {
        name: [item if item is None else imaging.load(item, role="style") for item in items]
        for name, items in given.pictures.items()
        if name in STYLE_FIELDS
    }
    return replace(given, pictures={**given.pictures, **decoded})


def _names_a_segmenter(given: Arguments) -> bool:
    """Return whether the caller asks for a segmenter other than the default."""
    return given.segmenter is not None or given.recipe.segmenter != SegmentSettings.model_fields["segmenter"].default


def _within_alpha(found: Segmentation, picture: Picture) -> Segmentation:
    """Add the photo to a segmentation, and take out of the matte what the photo's own alpha hides."""
    notes = (*picture.notes, *found.notes)
    found = replace(found, photo=picture.rgb)
    if picture.alpha is None:
        return replace(found, notes=notes)
    if picture.alpha_kind is AlphaKind.CUTOUT:
        notes = (*notes, "what is transparent in the photo is left out of the subject")
        return replace(found, matte=torch.minimum(found.matte, picture.alpha), notes=notes)
    return replace(found, matte=torch.where(picture.alpha > 0, found.matte, 0.0), notes=notes)
