"""Experiments: sweeps over settings, comparisons of methods, tables, figures and reports."""
