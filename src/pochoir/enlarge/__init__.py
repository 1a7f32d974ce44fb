"""Enlargement of finished pictures by a small network, for prints."""

from pochoir.enlarge.enlarger import WEIGHTS as WEIGHTS
from pochoir.enlarge.enlarger import Enlarger as Enlarger
from pochoir.enlarge.enlarger import enlarge_matte as enlarge_matte
from pochoir.enlarge.enlarger import load_enlarger as load_enlarger
