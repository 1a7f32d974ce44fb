"""``python -m pochoir`` is the program ``pochoir``."""

from pochoir.cli import main

main()
