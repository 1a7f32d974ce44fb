"""Refinement of mattes at their edges."""
