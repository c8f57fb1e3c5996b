"""Photos that strangers send: looked at, turned upright, shrunk and written anew, so that nothing else rides along."""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass, field

from PIL import Image, ImageOps, UnidentifiedImageError

LONGEST = 2560
THUMB = 240
MOST_PIXELS = 60_000_000
"""Of a JPEG, which is read smaller right away …"""
MOST_PIXELS_WHOLE = 30_000_000
"""… and of everything else, which has to be held whole."""
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


# Strangers send several at once; memory holds one at a time, and warnings are switched for the whole process.
_ONE = threading.Lock()


def clean(raw: bytes) -> CleanImage:
    """Raises NotAnImage. Place, camera and owner (EXIF, XMP) are dropped; an animation keeps its first frame."""
    try:
        with _ONE, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=_FORMATS) as opened:
                if opened.width * opened.height > (MOST_PIXELS if opened.format == "JPEG" else MOST_PIXELS_WHOLE):
                    raise NotAnImage("too_many_pixels")
                opened.draft("RGB", (LONGEST, LONGEST))
                plain = _on_white(ImageOps.exif_transpose(_shrunk(opened)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotAnImage("too_many_pixels") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        if isinstance(error, NotAnImage):
            raise
        raise NotAnImage("not_an_image") from None
    small = plain.copy()
    small.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS)
    return CleanImage(_jpeg(plain, 85), _jpeg(small, 78), plain.width, plain.height)


def _shrunk(opened: Image.Image) -> Image.Image:
    """As large as it is kept, before anything copies it: a picture of many pixels is held whole only once."""
    if opened.mode not in ("RGB", "RGBA", "L", "LA"):
        see_through = "transparency" in opened.info or opened.mode in ("PA", "La", "RGBa")
        opened = opened.convert("RGBA" if see_through else "RGB")
    opened.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return opened


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
