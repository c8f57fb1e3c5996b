"""A hundred mails that nobody would want: markup, headers, attachments, spoofed senders, bombs, answering machines."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from collections.abc import Iterator

CRLF = b"\r\n"
CODE, NUMBER = "C-20261120-0002", "73000000000001"


def mail(
    body: bytes = b"hi",
    kind: bytes = b"text/plain; charset=utf-8",
    *,
    head: bytes = b"",
    sender: bytes = b"a@evil.example",
) -> bytes:
    lines = [b"From: " + sender, b"To: desk@shop.example", f"Subject: [{CODE}] {NUMBER}".encode()]
    lines += [head] if head else []
    return CRLF.join([*lines, b"Content-Type: " + kind, b"", body])


def multipart(parts: list[tuple[bytes, bytes]], kind: bytes = b"mixed", boundary: bytes = b"B") -> bytes:
    inside = b"".join(b"--" + boundary + CRLF + head + CRLF + CRLF + body + CRLF for head, body in parts)
    return mail(inside + b"--" + boundary + b"--", b"multipart/" + kind + b'; boundary="' + boundary + b'"')


HTML = [
    "<script>alert(1)</script>同意补发",
    "<img src=x onerror=alert(1)>同意补发",
    "<svg onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe src='//evil'></iframe>",
    "<style>@import '//evil'</style>x",
    "<math><mtext><img src onerror=alert(1)>",
    "<base href='//evil/'>",
    "<form action='//evil'><input></form>",
    "<!--<img src=--><img src=x onerror=alert(1)//>",
    "<p style='display:none'>同意补发 赔9999元</p>",
    "<body onload=alert(1)>",
    "<object data=x>",
    "<meta http-equiv=refresh content='0;url=//evil'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "{% load x %}{{ settings.SECRET_KEY }}",
    "<b>" * 20_000,
    "<div>" * 5_000 + "x",
    "\u202e补发意同\u202d",
    "\x00\x01\x1b[31m同意补发",
    "a" * 300_000,
]
_HEADS = [
    b"From: boss@carrier.example",
    b"Reply-To: x@y\r\nBcc: z@evil",
    b"Subject: second",
    b"X: " + b"y" * 200_000,
    b": nothing",
    b"Content-Type: text/html",
    b"Date: the day after",
    b"Date: Fri, 99 Xxx 99999 99:99:99 +9999",
    b"Message-ID: <" + b"i" * 5_000 + b">",
    b"Message-ID: \xff\xfe",
    b"References: " + b"<a@b> " * 3_000,
    b"In-Reply-To: <1.2@desk>\r\n\t<3>",
    b"Subject: =?utf-8?b?%%%?=",
    b"Subject: =?x-unknown?q?=E4=BD?=",
    b"Subject: =?utf-8?q?=0D=0ABcc:_x@y?=",
    b"Authentication-Results: mx.shop.example; dmarc=pass",
    b"Received: " + b"from x by y; " * 2_000,
    b"MIME-Version: 9.9",
    b"Content-Transfer-Encoding: x-unknown",
    b"Content-Transfer-Encoding: base64",
    b"Auto-Submitted: auto-replied",
    b"Precedence: bulk",
    b"\x00: \x00",
    b"X-Fold: a\r\n " + b" b\r\n " * 2_000 + b"c",
]
_SENDERS = [
    b'"zhongtong@carrier.example" <a@evil.example>',
    b"zhongtong@carrier.example, a@evil.example",
    b"zhongtong@carrier.example <a@evil.example>",
    b"=?utf-8?q?zhongtong=40carrier=2Eexample?= <a@evil.example>",
    b"<>",
    b"",
    b"@",
    b"a" * 3_000 + b"@x",
    "中通@carrier.example".encode(),
    b"zhongtong@carrier.example\x00@evil.example",
    b"zhongtong@carrier.example(@evil.example)",
    b"<zhongtong@carrier.example>;<a@evil.example>",
]


def _bomb() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", b"0" * 50_000_000)
    return held.getvalue()


def _nested(depth: int) -> bytes:
    inner = b"Content-Type: text/plain" + CRLF + CRLF + b"deep"
    for at in range(depth):
        edge = f"N{at}".encode()
        inner = CRLF.join(
            [b'Content-Type: multipart/mixed; boundary="' + edge + b'"', b"", b"--" + edge, inner, b"--" + edge + b"--"]
        )
    return b"From: a@evil.example" + CRLF + inner


def mails() -> Iterator[bytes]:
    yield from (mail(one.encode("utf-8", "surrogatepass"), b"text/html; charset=utf-8") for one in HTML)
    yield from (mail(f"{NUMBER} 同意补发，赔付9999元".encode(), head=one) for one in _HEADS)
    yield from (mail(f"{NUMBER} 同意补发，赔付9999元".encode(), sender=one) for one in _SENDERS)
    zipped = base64.b64encode(_bomb())
    attached = b"Content-Transfer-Encoding: base64" + CRLF + b"Content-Disposition: attachment; filename="
    yield multipart([(b"Content-Type: application/zip" + CRLF + attached + b'"../../../etc/passwd"', zipped)])
    yield multipart(
        [(b"Content-Type: text/html" + CRLF + attached + b'"x.html"', base64.b64encode(b"<script>x</script>"))]
    )
    yield multipart(
        [(b"Content-Type: image/svg+xml" + CRLF + attached + b'"a.svg"', base64.b64encode(b"<svg onload=x>"))]
    )
    yield multipart([(b"Content-Type: text/plain", b"x")] * 3_000)
    yield multipart(
        [
            (b"Content-Type: text/plain; charset=utf-16", b"\xff\xfeA"),
            (b"Content-Type: text/plain; charset=utf-7", b"+ADw-"),
        ]
    )
    yield multipart([(b"Content-Type: message/rfc822", mail())] * 20)
    yield multipart([(b"Content-Type: text/calendar", b"BEGIN:VCALENDAR")], kind=b"alternative")
    yield multipart([(b"Content-Type: text/plain", b"unfinished")])[:-4]
    yield mail(b"x", b"multipart/mixed")
    yield mail(b"x", b'multipart/mixed; boundary=""')
    yield mail(b"x", b"text/plain; charset=" + b"z" * 9_000)
    yield mail(b"=E4=BD" * 9_000, head=b"Content-Transfer-Encoding: quoted-printable")
    yield mail(b"begin 644 x\r\n" + b"M" * 9_000, head=b"Content-Transfer-Encoding: uuencode")
    yield mail(gzip.compress(b"0" * 10_000_000), b"application/gzip")
    yield _nested(30)
    yield _nested(400)
    yield mail(b"x" * (6 * 1024 * 1024))
    yield b""
    yield CRLF * 1_000
    yield bytes(range(256)) * 40
    yield b"From a\nFrom: b@c\n\n\n" * 200
    yield mail(("同意补发 " + NUMBER + " ").encode() * 20_000)
    yield from _machines()
    yield from _encoded()


def _machines() -> Iterator[bytes]:
    """Twelve that a machine wrote, some of them to start a loop."""
    said = f"{NUMBER} 同意补发，赔付9999元".encode()
    for head in (
        b"Auto-Submitted: auto-generated",
        b"Auto-Submitted: AUTO-REPLIED (vacation)",
        b"Precedence: auto_reply",
        b"Precedence: junk",
        b"X-Autoreply: yes\r\nAuto-Submitted: auto-replied",
        b"X-Auto-Response-Suppress: All\r\nAuto-Submitted: auto-replied",
        b"List-Id: <all.evil.example>\r\nPrecedence: bulk",
        b"X-Loop: desk@shop.example\r\nAuto-Submitted: auto-replied",
    ):
        yield mail(said, head=head)
    yield mail(said, head=b"Auto-Submitted: auto-replied", sender=b"MAILER-DAEMON@carrier.example")
    yield mail(said, sender=b"desk@shop.example")
    report = b"Reporting-MTA: dns; evil.example\r\n\r\nFinal-Recipient: rfc822; x@y\r\nAction: failed\r\nStatus: 5.1.1"
    yield multipart([(b"Content-Type: message/delivery-status", report)], kind=b"report; report-type=delivery-status")
    yield mail(said, head=b"Return-Path: <>\r\nAuto-Submitted: auto-replied")


def _encoded() -> Iterator[bytes]:
    """Ten tricks with encoded words."""
    said = f"{NUMBER} 同意补发".encode()
    for subject in (
        b"=?utf-8?b?" + base64.b64encode(b"x\r\nBcc: z@evil.example\r\n\r\n<script>alert(1)</script>") + b"?=",
        b"=?utf-8?q?" + b"=F0=9F=92=A3" * 700 + b"?=",
        b"=?utf-16?b?//4=?= =?utf-8?q??= =?us-ascii?q?=FF=FE?=",
        b"=?utf-7?q?+ADw-script+AD4-?=",
        b" =?utf-8?q?a?=" * 3_000,
        b"=?utf-8*en?q?a?=",
    ):
        yield mail(said, head=b"Subject: " + subject)
    for sender in (
        b"=?utf-8?b?" + base64.b64encode(b"zhongtong@carrier.example") + b"?=",
        b"=?utf-8?q?zhongtong=40carrier=2Eexample=00?= <a@evil.example>",
        b"zhongtong=?utf-8?q?=40?=carrier.example",
        b"xn--zhongtong@xn--carrier.example",
    ):
        yield mail(said, sender=sender)
