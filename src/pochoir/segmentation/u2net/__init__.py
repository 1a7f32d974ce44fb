"""U2-Net: the network, its weight files, and the segmenter that runs it."""

from pochoir.segmentation.u2net.loading import load_u2net
from pochoir.segmentation.u2net.network import U2NET, U2NET_TINY, U2NETP, SaliencyMaps, U2Net, U2NetConfig
from pochoir.segmentation.u2net.predictor import U2NetSegmenter

__all__ = ["U2NET", "U2NETP", "U2NET_TINY", "SaliencyMaps", "U2Net", "U2NetConfig", "U2NetSegmenter", "load_u2net"]
