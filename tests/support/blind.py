"""A cluster whose nodes see none of the user's files."""

from collections.abc import Mapping

from pochoir.jobs.executors.ray import RayExecutor, RayWorker, Signature


class BlindWorker(RayWorker):
    """Worker on a node with disks of its own."""

    def find_missing(self, files: Mapping[str, Signature], probe: str | None) -> tuple[list[str], bool]:
        """See nothing."""
        return list(files), False


class BlindExecutor(RayExecutor):
    """Executor of such nodes."""

    worker_class = BlindWorker
