"""Convolutional networks whose activations describe content and style."""

from pochoir.encoders.loading import expected_engine as expected_engine
from pochoir.encoders.loading import load_encoder as load_encoder
from pochoir.encoders.loading import tiny_encoder as tiny_encoder
from pochoir.encoders.vgg import CAFFE as CAFFE
from pochoir.encoders.vgg import TORCHVISION as TORCHVISION
from pochoir.encoders.vgg import VGG as VGG
from pochoir.encoders.vgg import Normalization as Normalization
