"""A hundred posts to a carrier's page that nobody would want: markup, wrong types, broken and oversize bodies, photos
that are something else or blow up, names of files that are paths, addresses of others, forged origins, replays."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from PIL import Image

from tests.hostile.mails import HTML

FIELDS = ("result", "consent", "promise_on", "amount", "freight", "words")
GOOD = {"result": "lost", "consent": "yes", "amount": "60", "freight": "carrier", "words": "网点赔付"}
MARK = b"<script>alert(1)</script>"


@dataclass(frozen=True, slots=True)
class Post:
    """One request. `path`: {token}, {case}, {other} (a case outside of the link), {gone}, {foreign} are put in.

    `forged`: it comes with the cookie check switched on and a stranger's origin. `times`: sent so often.
    """

    name: str
    body: bytes
    kind: str
    path: str = "/c/{token}/{case}/"
    method: str = "POST"
    heads: Mapping[str, str] = field(default_factory=dict)
    forged: bool = False
    times: int = 1


EDGE = "hostileEDGE"


def part(name: bytes, body: bytes, *, filename: bytes | None = None, kind: bytes = b"image/jpeg") -> bytes:
    head = b'Content-Disposition: form-data; name="' + name + b'"'
    if filename is not None:
        head += b'; filename="' + filename + b'"\r\nContent-Type: ' + kind
    return b"--" + EDGE.encode() + b"\r\n" + head + b"\r\n\r\n" + body + b"\r\n"


def parts(*inside: bytes, end: bool = True) -> bytes:
    return b"".join(inside) + (b"--" + EDGE.encode() + b"--\r\n" if end else b"")


MULTI = f"multipart/form-data; boundary={EDGE}"
URLENCODED = "application/x-www-form-urlencoded"


def fields(name: str, told: Mapping[str, str], **more: object) -> Post:
    body = parts(*(part(key.encode(), value.encode("utf-8", "surrogatepass")) for key, value in told.items()))
    return Post(name, body, MULTI, **more)  # type: ignore[arg-type]


def photo(name: str, raw: bytes, filename: bytes = b"a.jpg", kind: bytes = b"image/jpeg") -> Post:
    return Post(name, parts(part(b"words", b"x"), part(b"photo", raw, filename=filename, kind=kind)), MULTI)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, more: bytes = b"", rows: bytes | None = None) -> bytes:
    """A grey PNG of any size that costs next to nothing to send."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    packer = zlib.compressobj(1)
    line = b"\x00" * (width + 1)
    packed = b"".join(packer.compress(line) for _ in range(height)) + packer.flush() if rows is None else rows
    return b"\x89PNG\r\n\x1a\n" + head + more + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def picture(kind: str, size: tuple[int, int] = (64, 48), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **more)
    return out.getvalue()


def _frames(count: int) -> bytes:
    out = io.BytesIO()
    pictures = [Image.new("P", (200, 200), at % 250) for at in range(count)]
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


def _photos() -> Iterator[Post]:
    """Twenty-six."""
    yield photo("a picture with a script behind it", picture("JPEG") + MARK)
    yield photo("a picture with a script in its comment", picture("JPEG", comment=MARK))
    yield photo("a GIF that is JavaScript", b"GIF89a/*" + picture("GIF")[8:] + b"*/=1;alert(1)")
    yield photo("a GIF that is a page", picture("GIF") + b"<html>" + MARK)
    yield photo("a PNG that is an archive", picture("PNG") + b"PK\x03\x04" + b"\x00" * 400)
    yield photo("a PNG with a script in its text", png(8, 8, more=_chunk(b"tEXt", b"Comment\x00" + MARK)))
    yield photo("a PDF", b"%PDF-1.4\n" + picture("JPEG"))
    yield photo("a drawing with a script", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', b"a.svg")
    yield photo("a page that says it is a picture", b"<html>" + MARK, b"a.jpg")
    yield photo("a program", b"MZ" * 4_000, b"a.exe", b"application/x-msdownload")
    yield photo("a video", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 2_000, b"a.mp4", b"video/mp4")
    yield photo("a picture cut off", picture("JPEG", (900, 900))[:700])
    yield photo("nothing", b"")
    yield photo("zeros", b"\x00" * 200_000)
    yield photo("many pixels in few bytes", png(30_000, 30_000, rows=zlib.compress(b"\x00" * 100)))
    yield photo("just under what is held whole, in one colour", png(5_400, 5_400))
    yield photo("a size that is no size", png(0, 0, rows=b""))
    yield photo("the largest size", png(2**31 - 1, 2**31 - 1, rows=b""))
    yield photo("rows that are too short", png(2_000, 2_000, rows=zlib.compress(b"\x00" * 50)))
    yield photo("rows that blow up", png(10, 10, rows=zlib.compress(b"\x00" * 20_000_000)))
    text = b"x\x00\x00" + zlib.compress(b"A" * 30_000_000)
    yield photo("a text that blows up", png(10, 10, more=_chunk(b"zTXt", text[:1] + b"\x00\x00" + text[3:])))
    profile = b"p\x00\x00" + zlib.compress(b"\x00" * 20_000_000)
    yield photo("a colour profile that blows up", png(10, 10, more=_chunk(b"iCCP", profile)))
    yield photo("a hundred frames", _frames(100))
    yield photo("a TIFF that points beyond itself", b"II*\x00" + struct.pack("<I", 0x7FFFFFF0) + b"\x00" * 64)
    yield photo("a broken WebP", b"RIFF" + struct.pack("<I", 2**31) + b"WEBPVP8 " + b"\xff" * 300)
    yield photo("EXIF that lies", picture("JPEG")[:2] + b"\xff\xe1\xff\xffExif\x00\x00MM\x00*" + b"\xff" * 300)


_NAMES = (
    b"../../../../etc/passwd.jpg", b"C:\\windows\\win.ini", b"a\x00.jpg", b"a.jpg\r\nX-Evil: 1", b"a" * 5_000 + b".jpg",
    "\u202egpj.exe".encode(), b"=cmd|' /C calc'!A0.jpg", b"<img src=x onerror=alert(1)>.jpg", b"", b"CON.jpg",
)  # fmt: skip
_TYPES = (
    {"amount": "1e400"}, {"amount": "NaN"}, {"amount": "Infinity"}, {"amount": "9" * 400}, {"amount": "0x10"},
    {"amount": "-0.01"}, {"promise_on": "9999-99-99"}, {"promise_on": "0000-00-00"}, {"promise_on": "2026-02-30"},
    {"promise_on": "now()"}, {"result": "lost\x00"}, {"result": "__class__"}, {"consent": "maybe"},
    {"freight": "customer"}, {"words": "\ud800\udfff"}, {"words": "x" * 501},
    {"words": "' OR 1=1; DROP TABLE cases_case; --"}, {"words": "{{ settings.SECRET_KEY }}{% load x %}"},
    {**GOOD, "case_id": "1", "shop_id": "2", "is_trusted": "1", "state": "accepted", "decided_by": "boss"},
)  # fmt: skip


def _bodies() -> Iterator[Post]:
    """Fourteen that are no forms, or too much of one."""
    yield Post("no boundary", parts(part(b"words", b"x")), "multipart/form-data")
    yield Post("another boundary", parts(part(b"words", b"x")), "multipart/form-data; boundary=other")
    yield Post("a boundary of a thousand signs", b"x", "multipart/form-data; boundary=" + "b" * 1_000)
    yield Post("never finished", parts(part(b"words", b"x"), end=False)[:-3], MULTI)
    yield Post("a part without a head", f"--{EDGE}\r\n\r\nx\r\n--{EDGE}--".encode(), MULTI)
    inner = b"Content-Transfer-Encoding: base64"
    yield Post("base64 that is none", parts(b"--" + EDGE.encode() + b"\r\n" + inner + b"\r\n"
               b'Content-Disposition: form-data; name="words"\r\n\r\n%%%\r\n'), MULTI)  # fmt: skip
    yield Post("JSON", b'{"result": "lost", "consent": true}', "application/json")
    yield Post("XML with entities", b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>', "application/xml")
    yield Post("no kind at all", b"result=lost", "")
    yield Post("a charset that is none", b"result=lost", f"{URLENCODED}; charset=utf-99")
    yield Post("two thousand fields", "&".join(f"f{at}=1" for at in range(2_000)).encode(), URLENCODED)
    yield Post("two hundred files", parts(*(part(b"photo", b"x", filename=b"a.jpg") for _ in range(200))), MULTI)
    yield Post("a field of six megabytes", parts(part(b"words", b"x" * 6_291_456)), MULTI)
    yield photo("a photo of sixteen megabytes", b"\xff\xd8\xff" + b"\x00" * (16 * 1024 * 1024))


def _doors() -> Iterator[Post]:
    """Fifteen at other doors, or with somebody else's key."""
    for name, path in (
        ("a case outside of the link", "/c/{token}/{other}/"),
        ("a case that is none", "/c/{token}/999999999999/"),
        ("an address that has ended", "/c/{gone}/{case}/"),
        ("another shop's address", "/c/{foreign}/{case}/"),
        ("an address with one sign less", "/c/{short}/{case}/"),
        ("another shop's number before the secret", "/c/{moved}/{case}/"),
        ("an address with SQL", "/c/" + quote("1-' OR '1'='1") + "/{case}/"),
        ("an address that climbs", "/c/%2e%2e/{case}/"),
        ("an address with zeros", "/c/1-%00/{case}/"),
        ("a very long address", "/c/1-" + "a" * 6_000 + "/{case}/"),
        ("the desk's own door", "/cases/{shop}/{code}/close/"),
    ):
        yield fields(name, GOOD, path=path)
    yield fields("put instead of post", GOOD, method="PUT")
    yield fields("delete instead of post", GOOD, method="DELETE")
    yield fields("a post that says it is a get", GOOD, heads={"HTTP_X_HTTP_METHOD_OVERRIDE": "GET"})
    yield fields(
        "another host", GOOD, heads={"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_REFERER": "https://evil.example/"}
    )


def posts() -> Iterator[Post]:
    """A hundred and more, the same ones each time."""
    for at, text in enumerate(HTML[:18]):
        yield fields(f"markup {at}", {"words": text[:500], FIELDS[at % 5]: text[:60]})
    yield from (fields(f"wrong {next(iter(told))} {at}", told) for at, told in enumerate(_TYPES))
    yield from _bodies()
    yield from _photos()
    yield from (photo(f"a name that is no name {at}", picture("JPEG"), name) for at, name in enumerate(_NAMES))
    yield from _doors()
    for at in range(3):
        yield fields(f"a forged origin {at}", GOOD, forged=True, heads={"HTTP_ORIGIN": "https://evil.example"})
    yield fields("the same answer five times", GOOD, times=5)
