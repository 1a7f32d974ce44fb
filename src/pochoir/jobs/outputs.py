"""Outputs that exist already: finished, damaged, or somebody else's."""

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from pochoir import imaging, weights
from pochoir._hashing import hash_large_file
from pochoir.done import is_done
from pochoir.errors import ImageReadError, InputError, OutputPathError, WeightsError
from pochoir.jobs.job import STREAM, Job
from pochoir.recipe import Environment, Record, Request, work_key

_DRAFTS = (".pochoir-*.tmp", ".pochoir-*.probe", ".*.partial.*.*")
"""Names of files that take the place of others when they are whole, and of probes for clusters."""
_DRAFT_S = 60.0
_START_BYTES = 1 << 16
_MOST_NAMED = 4
"""Settings that an error names at most."""


def is_finished(job: Job, request: Request, *, alpha: bool, inputs: Sequence[str]) -> bool:
    """Return whether a job's output is up to date, after checking that the output can be written.

    Args:
        job: The job.
        request: The picture that it makes.
        alpha: Whether that picture has transparency.
        inputs: Files that the job reads.

    Raises:
        OutputPathError: The path cannot be used, is an input, or holds a file that this request did not make. The
            last two are allowed by ``job.force``.
    """
    if job.output == STREAM:
        return False
    target = Path(job.output)
    imaging.make_folder(target.parent)
    imaging.check_output(
        target,
        inputs=[path for path in inputs if path != STREAM],
        alpha=alpha,
        force=job.force,
        options=imaging.SaveOptions.from_settings(request.recipe),
        has_layers=request.form is None,
    )
    if imaging.is_stream(target):
        return False
    record = read_record(target)
    if record is not None and is_done(target, _key_like(record, request)):
        return True
    if not job.force:
        _refuse_foreign(target, record, request)
    return False


def remove_drafts(jobs: Iterable[Job]) -> None:
    """Remove what killed processes left half-written beside the jobs' outputs.

    Drafts exist for a moment, so those older than a minute belong to no living process.
    """
    for folder in {Path(job.output).parent for job in jobs if job.output != STREAM}:
        for pattern in _DRAFTS:
            for draft in folder.glob(pattern):
                with suppress(OSError):
                    if time.time() - draft.stat().st_mtime > _DRAFT_S:
                        draft.unlink()


def is_own(path: str | os.PathLike[str]) -> bool:
    """Return whether a picture holds a record, which says that pochoir made it."""
    return Path(path).suffix.lower() in imaging.FORMAT_OF_SUFFIX and read_record(Path(path)) is not None


def read_record(path: Path) -> Record | None:
    """Return the record of a picture, None if it has none that can be read."""
    try:
        return Record.from_json(imaging.read_record(path))
    except (InputError, OSError):
        return None


def _key_like(record: Record, request: Request) -> str:
    """Return the key of a request made with the weights that a record names, as they are now.

    Which weights a request needs depends on the photo, so the record tells instead of the photo being decoded.
    """
    now = {name: _hash_weights(name) for name in record.environment.weights}
    return work_key(request, Environment(torch="", weights=now, device="", threads=0))


def _hash_weights(name: str) -> str:
    try:
        return hash_large_file(weights.where(name)) if name in weights.TABLE else ""
    except (WeightsError, OSError):
        return ""


def _refuse_foreign(target: Path, record: Record | None, request: Request) -> None:
    sidecar = imaging.sidecar_of(target)
    if not target.exists() or target.stat().st_size == 0:  # an empty file has nothing to lose
        keeps = imaging.needs_sidecar(target) and sidecar.exists()
        if keeps and not _is_record(sidecar):
            raise OutputPathError(
                f"'{sidecar}' exists and is not a record of pochoir, which would go there; choose another output or "
                "replace it (--force)."
            )
        return
    if (record is not None or _begins_as_own(target)) and _is_damaged(target):
        return  # there is nothing to lose
    if record is None:
        raise OutputPathError(
            f"'{target}' exists and was not made by pochoir; choose another output or replace it (--force)."
        )
    if record.key == _key_like(record, request):
        raise OutputPathError(
            f"'{target}' was changed after pochoir made it; choose another output or replace it (--force)."
        )
    raise OutputPathError(
        f"'{target}' exists and was made {_describe_difference(record, request)}; choose another output or replace it "
        "(--force)."
    )


def _is_record(path: Path) -> bool:
    try:
        Record.from_json(path.read_text(encoding="utf-8"))
    except (InputError, OSError, ValueError):
        return False
    return True


def _begins_as_own(path: Path) -> bool:
    """Return whether a PNG begins with a record, which may be cut off."""
    with path.open("rb") as file:
        start = file.read(_START_BYTES)
    return start.startswith(b"\x89PNG") and f"iTXt{imaging.RECORD_KEY}\0".encode() in start


def _is_damaged(path: Path) -> bool:
    if imaging.holds_layers(path):
        return not imaging.is_intact(path)
    try:
        imaging.load(path)
    except ImageReadError:
        return True
    return False


def _describe_difference(record: Record, request: Request) -> str:
    """Say in a few words what another picture was made from."""
    then = record.request
    if (then.form is None) != (request.form is None):
        return "by another command"
    changed = sorted(_changed_roles(then, request))
    if changed:
        return f"from another {' and '.join(changed[:_MOST_NAMED])}"
    if then.form != request.form:
        return "in another form"
    before, now = then.recipe.to_dict(), request.recipe.to_dict()
    settings = [name.replace("_", " ") for name in before if before[name] != now[name]]
    if settings and then != request:
        more = ", ..." if len(settings) > _MOST_NAMED else ""
        return f"with other settings ({', '.join(settings[:_MOST_NAMED])}{more})"
    return f"by pochoir {record.environment.version} or with other weights"


def _changed_roles(then: Request, now: Request) -> Iterable[str]:
    before = {(entry.role, entry.sha256) for entry in then.inputs}
    after = {(entry.role, entry.sha256) for entry in now.inputs}
    return {role for role, _ in before ^ after}
