"""Photos that strangers send: looked at, turned upright, shrunk and written anew, so that nothing else rides along."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field

from PIL import Image, ImageOps, UnidentifiedImageError

LONGEST = 2560
THUMB = 240
MOST_PIXELS = 60_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


class NotAnImage(ValueError):
    """The bytes are no picture that can be read. `why`: not_an_image or too_many_pixels."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class CleanImage:
    """A picture as it is kept: JPEG without any metadata, at most 2560 pixels long, and a small one beside it."""

    jpeg: bytes = field(repr=False)
    thumb: bytes = field(repr=False)
    width: int
    height: int


def clean(raw: bytes) -> CleanImage:
    """Raises NotAnImage. Place, camera and owner (EXIF, XMP) are dropped; an animation keeps its first frame."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=_FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise NotAnImage("too_many_pixels")
                opened.draft("RGB", (LONGEST, LONGEST))
                upright = ImageOps.exif_transpose(opened)
                plain = _on_white(upright)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotAnImage("too_many_pixels") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        if isinstance(error, NotAnImage):
            raise
        raise NotAnImage("not_an_image") from None
    plain.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    small = plain.copy()
    small.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS)
    return CleanImage(_jpeg(plain, 85), _jpeg(small, 78), plain.width, plain.height)


def _on_white(picture: Image.Image) -> Image.Image:
    """Without transparency; a new picture, so that nothing of the old one's metadata is left."""
    sheet = Image.new("RGB", picture.size, "white")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        solid = picture.convert("RGBA")
        sheet.paste(solid, mask=solid.getchannel("A"))
    else:
        sheet.paste(picture.convert("RGB"))
    return sheet


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()
