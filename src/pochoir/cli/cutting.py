"""From one photo to one saved picture of its subject, and the record by which a rerun knows what is finished."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pochoir
from pochoir._hashing import hash_file
from pochoir._types import Size
from pochoir.cli import forms
from pochoir.cli.photos import Job
from pochoir.errors import InputError
from pochoir.recipe import Environment, Form, InputFile, Recipe, Record, Request

if TYPE_CHECKING:
    from pochoir.imaging import Picture
    from pochoir.segmentation import Segmenter


@dataclass(frozen=True)
class Outcome:
    """What became of one photo.

    Attributes:
        job: The photo and its place.
        status: ``"saved"``, ``"finished"`` (it was there already) or ``"failed"``.
        facts: What there is to tell about it.
        notes: What the user should know.
        error: Why it failed.
    """

    job: Job
    status: str
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: Exception | None = None

    @property
    def reason(self) -> str:
        """Why it failed, as one line."""
        kind = "" if isinstance(self.error, pochoir.errors.PochoirError) else f"{type(self.error).__name__}: "
        return " ".join(f"{kind}{self.error}".split())

    def to_dict(self) -> dict[str, Any]:
        """What there is to tell about it, for programs."""
        told: dict[str, Any] = {"photo": str(self.job.photo), "status": self.status}
        if self.error is not None:
            return told | {"outputs": [], "error": self.reason}
        return told | {"outputs": [str(self.job.out)], **self.facts, "notes": self.notes}


class Cutter:
    """Finds and saves subjects, one after the other or several at once; the network is loaded once.

    Args:
        settings: How subjects are found: plain values of the recipe's fields.
        form: What is saved.
        force: Allow a photo to be overwritten.
        many: Whether there are so many photos that making ready for them pays.

    Raises:
        InputError: A setting or the scribble cannot be used.
    """

    def __init__(self, settings: dict[str, Any], form: Form, *, force: bool, many: bool = False) -> None:
        self.recipe = Recipe.from_dict(settings)
        self.form = form
        self._hashes = _start_hashing(self.recipe.segmenter)
        self._settings = {name: value for name, value in settings.items() if name != "segmenter"}
        self._force, self._many = force, many
        self._loading = threading.Lock()
        self._segmenter: Segmenter | None = None

        from pochoir import imaging

        forms.framing_of(form)  # tells at once if its size leaves no room
        scribble = self.recipe.scribble
        self._scribble = None if scribble is None else imaging.load(scribble, role="scribble")

    def cut(self, job: Job) -> Outcome:
        """Find the subject of one photo and save it.

        Raises:
            InputError: The photo, a setting or the place cannot be used.
            WeightsError: The network's weights are not in the cache, or cannot be read.
            WriteError: The picture cannot be written.
        """
        from pochoir import imaging, pipeline

        inputs = [job.photo, *([] if self.recipe.scribble is None else [Path(self.recipe.scribble)])]
        imaging.check_output(job.out, inputs=inputs, alpha=self.form.has_alpha, force=self._force)
        picture = imaging.load(job.photo)
        settings = self._settings if self._scribble is None else {**self._settings, "scribble": self._scribble}
        found = pipeline.segment(
            picture,
            segmenter=self._load_segmenter(),
            with_parts=self.form.name == "parts",
            with_doubt=self.form.name == "doubt",
            **settings,
        )
        shown = forms.draw(self.form, picture, found)
        alpha = shown[:, 3:] if shown.shape[1] == 4 else None
        imaging.save(job.out, shown[:, :3], alpha=alpha, record=self._record(job.photo, picture.sha256).to_json())
        facts = {
            "size": Size(*shown.shape[-2:])._asdict(),
            "as": self.form.name,
            "method": found.method,
            "box": found.box,
            "subject_share": float(found.matte.mean()),
            "confidence": None if found.doubt is None else found.doubt.confidence,
        }
        return Outcome(job, "saved", facts, found.notes)

    def is_finished(self, job: Job) -> bool:
        """Whether the picture is there and its record has the key of this work."""
        from pochoir import imaging

        if not job.out.is_file():
            return False
        try:
            kept = Record.from_json(imaging.read_record(job.out))
            return kept.key == self._record(job.photo, hash_file(job.photo)).key
        except (InputError, OSError):  # no record, or no photo: not finished, and why is told when it is its turn
            return False

    def _load_segmenter(self) -> "Segmenter":
        from pochoir import segmentation
        from pochoir._devices import resolve_device

        with self._loading:
            if self._segmenter is None:
                device = resolve_device(self.recipe.device)
                self._segmenter = segmentation.create_segmenter(self.recipe, device=device, many=self._many)
            return self._segmenter

    def _record(self, photo: Path, sha256: str) -> Record:
        import torch

        scribble: Picture | None = self._scribble
        inputs = [InputFile(role="photo", name=photo.name, path=str(photo), sha256=sha256)]
        if scribble is not None:
            inputs.append(InputFile(role="scribble", name=scribble.name, path=scribble.path, sha256=scribble.sha256))
        return Record(
            request=Request(recipe=self.recipe, inputs=tuple(inputs), form=self.form),
            environment=Environment(
                torch=torch.__version__,
                weights=self._hashes.result(),
                device=self.recipe.device,
                threads=torch.get_num_threads(),
            ),
        )


def _start_hashing(segmenter: str) -> "Future[dict[str, str]]":
    """Hash the weights while torch is imported, which leaves a processor idle; it warms the file up, too."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(_hash_weights, segmenter)
    finally:
        pool.shutdown(wait=False)


def _hash_weights(segmenter: str) -> dict[str, str]:
    from pochoir import weights

    return {segmenter: hash_file(weights.where(segmenter))} if segmenter in weights.TABLE else {}
