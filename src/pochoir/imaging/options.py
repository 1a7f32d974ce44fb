"""Options of written files: depth, compression, colours, and facts that are kept."""

from dataclasses import dataclass

from pochoir.recipe.output_settings import Chroma, KeptMetadata, OutputSettings, Profile


@dataclass(frozen=True)
class SaveOptions:
    """Options of a written file; each format takes what it knows."""

    bits: int = 8
    """Bits of a sample: 8, or 16 in PNG, TIFF and JPEG XL."""
    quality: int = 95
    """1 to 100, for JPEG, WebP, AVIF and JPEG XL; 100 is lossless in WebP and JPEG XL."""
    chroma: Chroma = "444"
    """Resolution of colours in JPEG and AVIF; painted pictures live on saturated edges, which less would smear."""
    dpi: float | None = None
    """Print resolution in pixels per inch; ``None`` keeps the photo's."""
    profile: Profile = "srgb"
    """``"keep"`` writes the colours in the space of the photo's profile."""
    metadata: KeptMetadata = "basic"
    """EXIF data of the photo to keep: none; date, camera, author and copyright; or these and the place."""
    embed_record: bool = True
    """Keep the record with the picture."""

    @classmethod
    def from_settings(cls, settings: OutputSettings) -> "SaveOptions":
        """Return the options that a recipe asks for."""
        return cls(
            bits=settings.bits,
            quality=settings.quality,
            chroma=settings.chroma,
            dpi=settings.dpi,
            profile=settings.profile,
            metadata=settings.metadata,
            embed_record=not settings.no_recipe,
        )


DEFAULT_OPTIONS = SaveOptions()
