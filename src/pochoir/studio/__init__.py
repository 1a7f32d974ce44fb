"""The studio: a page on this machine for painting photos, and the JSON API behind it.

The page holds no logic: photos, masks, styles, jobs and history are kept by this package, and the work is done by
``pochoir.jobs`` and ``pochoir.pipeline`` in other processes. Nothing here imports torch.
"""
