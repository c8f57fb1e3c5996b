"""Photos are written anew: nothing of the camera, the place or a hidden payload stays."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bufa.lib import images


def jpeg(size: tuple[int, int] = (40, 20), *, exif: Image.Exif | None = None, extra: bytes = b"") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, "JPEG", **({"exif": exif} if exif else {}))
    return out.getvalue() + extra


def camera() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "SecretCam"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


def test_the_camera_and_what_hangs_behind_are_gone_and_the_picture_stands_upright() -> None:
    found = images.clean(jpeg(exif=camera(), extra=b"<script>alert(1)</script>"))
    assert (found.width, found.height) == (20, 40)
    assert b"SecretCam" not in found.jpeg
    assert b"script" not in found.jpeg
    with Image.open(io.BytesIO(found.jpeg)) as again:
        assert (again.format, dict(again.getexif())) == ("JPEG", {})


def test_a_large_picture_is_shrunk_and_has_a_small_one() -> None:
    found = images.clean(jpeg((4000, 1000)))
    assert (found.width, found.height) == (2560, 640)
    with Image.open(io.BytesIO(found.thumb)) as small:
        assert small.size == (240, 60)


def test_transparency_becomes_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(out, "PNG")
    with Image.open(io.BytesIO(images.clean(out.getvalue()).jpeg)) as again:
        assert again.getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("raw", [b"", b"\xff\xd8\xff\xe0 no picture", b"GIF89a", jpeg()[:60], b"<svg onload=alert(1)>"])
def test_what_is_no_picture_is_refused(raw: bytes) -> None:
    with pytest.raises(images.NotAnImage):
        images.clean(raw)


def test_a_bomb_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 500)
    monkeypatch.setattr(images, "MOST_PIXELS_WHOLE", 300)
    images.clean(jpeg((20, 20)))
    png = io.BytesIO()
    Image.new("L", (20, 20)).save(png, "PNG")
    for raw in (jpeg((40, 20)), png.getvalue()):
        with pytest.raises(images.NotAnImage) as told:
            images.clean(raw)
        assert told.value.why == "too_many_pixels"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_pixels_is_taken(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (3000, 30)).save(out, "TIFF" if mode in ("PA", "CMYK", "I;16") else "PNG")
    assert images.clean(out.getvalue()).width == 2560
