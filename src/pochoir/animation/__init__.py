"""Animation of a subject cut out in its own style.

The package knows layers, mattes and time. Files are written by :mod:`pochoir.video`, and painting is done elsewhere.
"""
