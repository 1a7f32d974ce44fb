"""Paint photos through masks."""

__version__ = "0.1.0"
