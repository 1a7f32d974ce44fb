"""Sweeps over settings: one photo or several, painted in every combination."""
