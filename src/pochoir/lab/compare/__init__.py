"""Comparison of segmentation methods on photos and on what was painted from them."""
