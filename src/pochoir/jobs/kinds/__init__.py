"""Kinds of jobs, one module each; ``work`` finds them by name."""
