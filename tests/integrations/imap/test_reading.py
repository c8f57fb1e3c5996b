"""What a mail says, whatever its sender did to it: no error, no markup, bounded, and no sender believed lightly."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from bufa.integrations.messaging.imap.reading import MOST_TEXT, read
from tests.hostile.mails import mail, mails, multipart

HOSTILE = list(mails())


def test_a_hundred_hostile_mails_are_read_without_an_error_and_within_bounds() -> None:
    assert len(HOSTILE) == 102
    tracemalloc.start()
    for raw in HOSTILE:
        began = time.monotonic()
        said = read(raw, "mx.other.example")
        assert time.monotonic() - began < 5
        assert len(said.text) <= MOST_TEXT
        assert len(said.subject) <= 300
        assert len(said.answers) <= 40
        for markup in ("<script", "<img", "<svg", "<iframe", "onerror=", "javascript:"):
            assert markup not in said.text.lower() or b"&lt;" in raw
        assert "\x00" not in said.text + said.subject + said.sender
        assert "\n" not in said.subject + said.sender
        assert not said.vouched
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * 1024 * 1024


def test_a_plain_mail() -> None:
    said = read(
        b"From: =?utf-8?b?5byg?= <A@Carrier.example>\r\nTo: desk+c1.ab@shop.example, x@y\r\n"
        b"Subject: =?gbk?B?xOO6ww==?=\r\nMessage-ID: <1@x>\r\nReferences: <3@x>\r\n <2@x>\r\nIn-Reply-To: <2@x>\r\n"
        b"Date: Fri, 20 Nov 2026 12:00:00 +0800\r\n"
        b"Content-Type: text/html; charset=gbk\r\n\r\n"
        + "<p>同意补发</p><p>赔付60元<script>x</script></p>".encode("gbk")
    )
    assert (said.sender, said.subject, said.message_id) == ("a@carrier.example", "你好", "<1@x>")
    assert set(said.answers) == {"<2@x>", "<3@x>"}
    assert said.to == ("desk+c1.ab@shop.example", "x@y")
    assert said.text.split("\n") == ["同意补发", "赔付60元"]
    assert said.sent_at is not None
    assert said.sent_at.isoformat() == "2026-11-20T12:00:00+08:00"
    assert said.faults == ("html_only",)


def test_the_plain_part_is_read_and_attachments_are_left() -> None:
    said = read(
        multipart(
            [(b"Content-Type: text/plain", b"yes"), (b"Content-Disposition: attachment; filename=a.exe", b"MZ"),
             (b"Content-Type: text/html", b"<b>no</b>")]
        )
    )  # fmt: skip
    assert said.text == "yes"
    assert said.attachments >= 1
    assert "attachments_left" in said.faults


@pytest.mark.parametrize(
    ("heads", "believed"),
    [
        (b"Authentication-Results: mx.shop.example; dmarc=pass", True),
        (b"Authentication-Results: mx.shop.example 1; spf=pass smtp.mailfrom=x", True),
        (b"Authentication-Results: mx.shop.example; spf=pass; dmarc=fail", False),
        (b"Authentication-Results: mx.shop.example; spf=fail", False),
        (b"Authentication-Results: evil.example; dmarc=pass", False),
        (
            b"Authentication-Results: mx.shop.example; spf=fail\r\nAuthentication-Results: mx.shop.example; dmarc=pass",
            False,
        ),
        (b"Authentication-Results: evil.example; x=y\r\nAuthentication-Results: mx.shop.example; dmarc=pass", False),
        (b"X: y", False),
    ],
)
def test_only_our_own_servers_topmost_word_is_believed(heads: bytes, believed: bool) -> None:
    assert read(mail(head=heads), "mx.shop.example").vouched is believed
    assert not read(mail(head=heads)).vouched


def test_no_display_name_is_taken_for_a_sender() -> None:
    assert read(mail(sender=b'"zhongtong@carrier.example" <a@evil.example>')).sender == "a@evil.example"
    assert read(mail(sender=b"<>")).sender == ""
    assert read(mail(head=b"Auto-Submitted: auto-replied")).is_automatic
    assert not read(mail(head=b"Auto-Submitted: no")).is_automatic
