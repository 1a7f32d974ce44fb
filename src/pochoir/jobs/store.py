"""Store of jobs: claims, states and events in one SQLite file.

The key in an output's record decides whether a job is done. The store remembers what happened, and its claims keep
two processes from doing the same job at once.
"""

import contextlib
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pochoir.errors import WriteError
from pochoir.jobs import owners
from pochoir.jobs.event import Event, Failed, Preview, Progress, Queued, event_from_json
from pochoir.jobs.job import Job

FOLDER_NAME, FILE_NAME = ".pochoir", "jobs.sqlite"
"""Hidden folder in an output folder, and the store's file in it."""
LEASE_S = 60.0
"""Seconds after which a claim from another machine is void unless its owner has renewed it."""
BUSY_S = 30.0
"""Seconds to wait for another process's transaction."""
VERSION = 1
"""Version of the tables, kept as SQLite's ``user_version``."""

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, number INTEGER UNIQUE, job TEXT NOT NULL, state TEXT NOT NULL, updated REAL NOT NULL,
    error TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, canceled INTEGER NOT NULL DEFAULT 0,
    preview BLOB, token TEXT, host TEXT, pid INTEGER, started REAL, expires REAL
);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_jobs ON events (job, kind);
"""
_RELEASED = "token = NULL, host = NULL, pid = NULL, started = NULL, expires = NULL"
_QUEUE = f"""
INSERT INTO jobs (id, number, job, state, updated) VALUES (?, ?, ?, 'queued', ?) ON CONFLICT (id) DO UPDATE SET
    job = excluded.job, state = 'queued', updated = excluded.updated, error = '', attempts = 0,
    canceled = CASE WHEN ? THEN 0 WHEN canceled = 1 THEN 1 ELSE 0 END, preview = NULL, {_RELEASED}
"""  # noqa: S608  # constants
_CLAIM_OF = "SELECT token, host, pid, started, expires FROM jobs WHERE id = ?"
_RELEASE = f"UPDATE jobs SET state = 'queued', {_RELEASED} WHERE id = ? AND token = ?"  # noqa: S608
_FINISH = f"UPDATE jobs SET state = ?, updated = ?, error = ?, canceled = 0, {_RELEASED} WHERE id = ?"  # noqa: S608


@dataclass(frozen=True)
class JobState:
    """State of one job in the store.

    Attributes:
        job: The job.
        state: ``"queued"``, ``"started"``, ``"saved"``, ``"skipped"``, ``"canceled"`` or ``"failed"``.
        error: Why the job failed.
        attempts: How often the job was claimed.
        updated_s: Time of the last change, in seconds since 1970.
    """

    job: Job
    state: str
    error: str
    attempts: int
    updated_s: float


class Store:
    """Jobs, claims and events in one file. Several threads and processes may use it at once.

    Args:
        path: The SQLite file; None keeps the store in memory. Its folder is made if it is missing.
        lease_s: Seconds for which a claim is valid on other machines without being renewed.

    Raises:
        WriteError: The file cannot be opened or is no job store.
    """

    def __init__(self, path: str | os.PathLike[str] | None, *, lease_s: float = LEASE_S) -> None:
        self.path = None if path is None else Path(path)
        self.lease_s = lease_s
        self._token = uuid.uuid4().hex
        self._lock = threading.RLock()
        with self._errors():
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            target = ":memory:" if self.path is None else os.fspath(self.path)
            self._connection = sqlite3.connect(
                target, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=64
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    @classmethod
    def in_folder(cls, folder: str | os.PathLike[str]) -> Self:
        """Open the store of an output folder."""
        return cls(path_in(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, jobs: Iterable[Job], *, anew: bool = True) -> list[Queued]:
        """Queue jobs, unless another process is at work on them.

        Args:
            jobs: The jobs.
            anew: Queue those as well that were canceled and that nobody has taken note of; otherwise they stay
                canceled, unless they were asked to keep their picture.

        Returns:
            The events, one for each job.
        """
        queued = list(jobs)
        events = [Queued(job=job.id, photo=job.photo, output=job.output) for job in queued]
        with self._transaction() as run:
            (number,) = run("SELECT coalesce(max(number), 0) FROM jobs").fetchone()
            for index, (job, event) in enumerate(zip(queued, events, strict=True), start=number + 1):
                row = run(_CLAIM_OF, (job.id,)).fetchone()
                if row is not None and self._is_held_by_other(row):
                    continue
                run(_QUEUE, (job.id, index, job.to_json(), event.at, anew))
                self._insert(run, event)
        return events

    def claim(self, job: str) -> bool:
        """Claim a job for this store's owner.

        Returns:
            Whether the job is now claimed; False if a process that is alive holds it.
        """
        with self._transaction() as run:
            row = run(_CLAIM_OF, (job,)).fetchone()
            if row is None or self._is_held_by_other(row):
                return False
            run(
                "UPDATE jobs SET token = ?, host = ?, pid = ?, started = ?, expires = ?, attempts = attempts + 1"
                " WHERE id = ?",
                (self._token, *owners.this_process(), time.time() + self.lease_s, job),
            )
            return True

    def release(self, jobs: Iterable[str]) -> None:
        """Give claimed jobs back to the queue."""
        with self._transaction() as run:
            for job in jobs:
                run(_RELEASE, (job, self._token))

    def renew(self) -> None:
        """Extend the lease of all claims of this store's owner."""
        with self._transaction() as run:
            run("UPDATE jobs SET expires = ? WHERE token = ?", (time.time() + self.lease_s, self._token))

    def record(self, event: Event) -> int:
        """Write an event down; a final one ends the claim.

        Of each job the last progress and the last preview are kept.

        Returns:
            The number of the event, which only grows.
        """
        with self._transaction() as run:
            if isinstance(event, Progress | Preview):
                run("DELETE FROM events WHERE job = ? AND kind = ?", (event.job, event.kind))
            elif event.is_final:
                error = event.error if isinstance(event, Failed) else ""
                text = error.encode(errors="backslashreplace").decode()
                run(_FINISH, (event.kind, event.at, text, event.job))
            else:
                run("UPDATE jobs SET state = ?, updated = ? WHERE id = ?", (event.kind, event.at, event.job))
            if isinstance(event, Preview):
                run("UPDATE jobs SET preview = ? WHERE id = ?", (event.jpeg, event.job))
                event = event.model_copy(update={"jpeg": b""})
            return self._insert(run, event)

    def events(self, since: int = 0, *, job: str | None = None) -> list[tuple[int, Event]]:
        """Return the events after number ``since`` with their numbers, of all jobs or of one.

        Previews come without their picture; see ``preview``.
        """
        where, values = ("AND job = ?", [since, job]) if job is not None else ("", [since])
        with self._transaction(write=False) as run:
            rows = run(f"SELECT id, body FROM events WHERE id > ? {where} ORDER BY id", values).fetchall()  # noqa: S608
        return [(number, event_from_json(body)) for number, body in rows]

    def states(self) -> list[JobState]:
        """Return all jobs in the order in which they were queued first."""
        with self._transaction(write=False) as run:
            rows = run("SELECT job, state, error, attempts, updated FROM jobs ORDER BY number").fetchall()
        return [JobState(Job.from_json(job), *rest) for job, *rest in rows]

    def pending(self) -> list[Job]:
        """Return the jobs that are not finished and that no living process holds, for resuming after a kill."""
        with self._transaction(write=False) as run:
            rows = run(
                "SELECT job, token, host, pid, started, expires FROM jobs WHERE state IN ('queued', 'started')"
                " ORDER BY number"
            ).fetchall()
        return [Job.from_json(job) for job, *claim in rows if claim[0] is None or self._is_void(claim)]

    def preview(self, job: str) -> bytes | None:
        """Return the last preview of a job as JPEG, None if there is none."""
        with self._transaction(write=False) as run:
            row = run("SELECT preview FROM jobs WHERE id = ?", (job,)).fetchone()
        return None if row is None else row[0]

    def cancel(self, job: str, *, keep: bool = False) -> None:
        """Ask a job to stop; one that is queued is not begun. Finished jobs stay as they are.

        Args:
            job: Name of the job.
            keep: Ask a job that is running to save the best picture so far.
        """
        with self._transaction() as run:
            run(
                "UPDATE jobs SET canceled = ? WHERE id = ? AND state IN ('queued', 'started')",
                (2 if keep else 1, job),
            )

    def canceled(self) -> dict[str, bool]:
        """Return the names of the jobs that should stop, and for each whether it keeps its picture."""
        with self._transaction(write=False) as run:
            return {job: value == 2 for job, value in run("SELECT id, canceled FROM jobs WHERE canceled > 0")}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        deadline = time.monotonic() + BUSY_S
        while True:  # the busy timeout does not hold for the change to WAL
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self._connection.execute("PRAGMA synchronous = NORMAL")
        with self._transaction() as run:
            (version,) = run("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):
                raise sqlite3.DatabaseError(f"its tables have version {version}, not {VERSION}")
            for statement in filter(str.strip, _TABLES.split(";")):
                run(statement)
            run(f"PRAGMA user_version = {VERSION}")

    @staticmethod
    def _insert(run: Any, event: Event) -> int:
        values = (event.job, event.kind, event.to_json())
        return int(run("INSERT INTO events (job, kind, body) VALUES (?, ?, ?)", values).lastrowid)

    def _is_held_by_other(self, claim: Any) -> bool:
        return claim[0] is not None and claim[0] != self._token and not self._is_void(claim)

    @staticmethod
    def _is_void(claim: Any) -> bool:
        _, host, pid, started, expires = claim
        if host == owners.host_name():
            return not owners.is_alive(pid, started)
        return bool(time.time() > expires)

    @contextmanager
    def _transaction(self, *, write: bool = True) -> Iterator[Any]:
        with self._lock, self._errors():
            self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise WriteError(f"The job store '{self.path}' cannot be used: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise WriteError(
                f"The job store '{self.path}' is damaged ({error}). Delete it: finished pictures are known by their "
                "records and stay finished."
            ) from error
        except OSError as error:
            raise WriteError(f"Cannot write '{self.path}': {error.strerror or error}.") from error


def path_in(folder: str | os.PathLike[str]) -> Path:
    """Return the path of an output folder's store."""
    return Path(folder, FOLDER_NAME, FILE_NAME)
