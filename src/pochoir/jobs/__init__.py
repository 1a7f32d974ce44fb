"""Jobs: requests that are run one by one or many at once, in this process, in others or on a cluster."""

from pochoir.jobs.event import (
    Canceled,
    Event,
    Failed,
    Preview,
    Progress,
    Queued,
    Saved,
    Skipped,
    Started,
    event_from_json,
)
from pochoir.jobs.executors import EXECUTORS, Executor, create_executor
from pochoir.jobs.job import Job
from pochoir.jobs.runner import run
from pochoir.jobs.store import JobState, Store
from pochoir.jobs.work import Kind, Worker, kinds, register

__all__ = [
    "EXECUTORS",
    "Canceled",
    "Event",
    "Executor",
    "Failed",
    "Job",
    "JobState",
    "Kind",
    "Preview",
    "Progress",
    "Queued",
    "Saved",
    "Skipped",
    "Started",
    "Store",
    "Worker",
    "create_executor",
    "event_from_json",
    "kinds",
    "register",
    "run",
]
