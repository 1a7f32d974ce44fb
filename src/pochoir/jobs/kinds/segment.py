"""Job that finds the subject of a photo and saves it in a form."""

import functools
from collections.abc import Iterator
from typing import Any

import torch

from pochoir import imaging, weights
from pochoir._devices import resolve_device
from pochoir._hashing import hash_large_file
from pochoir._types import Size
from pochoir.jobs import forms
from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Saved, Skipped
from pochoir.jobs.job import Job
from pochoir.jobs.outputs import is_finished
from pochoir.jobs.streams import open_photo, save_output
from pochoir.jobs.work import Kind, Worker
from pochoir.recipe import Environment, Form, OutputSettings, Recipe, Record, Request, SegmentSettings
from pochoir.segmentation import Segmentation, weights_of
from pochoir.sources import check_shared_pictures, describe_inputs

SETTINGS = (*(name for name in SegmentSettings.model_fields if name != "mask"), "device", "threads")
"""Fields of a recipe that finding a subject uses."""
OUTPUT_SETTINGS = tuple(name for name in OutputSettings.model_fields if name != "enlarge")
"""Fields of a recipe that shape the file of a subject."""


def form_of(job: Job) -> Form:
    """Return the form that a job's output has."""
    return Form(**{name: value for name, value in job.form.items() if name != "format"})


def _inputs(job: Job) -> list[str]:
    return [job.photo, *([] if job.recipe.scribble is None else [job.recipe.scribble])]


def _perform(job: Job, worker: Worker, control: Control) -> Iterator[Event]:
    form = form_of(job)
    photo = open_photo(job)
    recipe = Recipe(**{name: getattr(job.recipe, name) for name in (*SETTINGS, *OUTPUT_SETTINGS)})
    request = Request(recipe=recipe, inputs=describe_inputs(photo, recipe), form=form)
    if is_finished(job, request, alpha=form.has_alpha, inputs=_inputs(job)):
        yield Skipped(job=job.id, outputs=(job.output,))
        return
    picture = imaging.load(photo)
    settings: dict[str, Any] = {name: getattr(recipe, name) for name in SETTINGS}
    found = worker.session.segment(
        picture, with_parts=form.name == "parts", with_doubt=form.name == "doubt", **settings
    )
    shown = forms.draw(form, picture, found)
    if control.canceled:
        return
    record = Record(request=request, environment=_environment(recipe, found))
    alpha = shown[:, 3:] if shown.shape[1] == 4 else None
    save = functools.partial(
        imaging.save,
        rgb=shown[:, :3],
        alpha=alpha,
        record=record.to_json(),
        options=imaging.SaveOptions.from_settings(recipe),
        metadata=picture.metadata,
        origin="cut out" if form.name == "cutout" else None,
    )
    save_output(job, save)
    yield Saved(job=job.id, outputs=(job.output,), facts=_describe(form, shown, found), notes=found.notes)


def _environment(recipe: Recipe, found: Segmentation) -> Environment:
    used = () if found.method == "alpha" else weights_of(recipe)  # the alpha of a cutout needs no network
    return Environment(
        torch=torch.__version__,
        weights={name: hash_large_file(weights.where(name)) for name in used},
        device=resolve_device(recipe.device),
        threads=recipe.threads or torch.get_num_threads(),
    )


def _describe(form: Form, shown: torch.Tensor, found: Segmentation) -> dict[str, Any]:
    return {
        "size": Size(*shown.shape[-2:])._asdict(),
        "as": form.name,
        "method": found.method,
        "box": found.box,
        "subject_share": float(found.matte.mean()),
        "confidence": None if found.doubt is None else found.doubt.confidence,
    }


def _check(job: Job) -> None:
    forms.framing_of(form_of(job))  # says at once if its size leaves no room


def _check_shared(recipe: Recipe) -> None:
    check_shared_pictures(Recipe(scribble=recipe.scribble))


KIND = Kind(perform=_perform, inputs=_inputs, check=_check, check_shared=_check_shared)
