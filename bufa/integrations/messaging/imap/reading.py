"""A stranger's mail as plain values: sized, decoded as far as it goes, HTML cut down to its text, nothing executed.

Whatever is wrong with a mail, reading it ends with a `MailRead` whose `faults` say what was left out.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

import mailparser
import nh3
from mailparser.exceptions import MailParserError

from bufa.integrations.mailbox import Bounce, MailRead
from bufa.integrations.messaging.imap import bounces

MOST_BYTES = 5 * 1024 * 1024
MOST_TEXT = 50_000
MOST_HEADER = 4_000
MOST_PARTS = 60
MOST_ADDRESSES = 30
_BROKEN = (
    MailParserError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    OverflowError,
    OSError,
    AssertionError,
)
_ID = re.compile(r"<[^<>\s]{1,300}>")
_BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)\b[^>]*>", re.IGNORECASE)
_PASS = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*pass\b", re.IGNORECASE)
_BLANKS = re.compile(r"\n{3,}")


def bounce(raw: bytes) -> Bounce | None:
    """A mail of ours that came back, None for any other mail."""
    return bounces.read(raw)


def read(raw: bytes, authserv: str = "") -> MailRead:
    """`authserv`: the name under which the shop's own mail server writes Authentication-Results.

    Only the topmost header of that name is believed, whatever the sender put below it.
    """
    faults: list[str] = []
    if len(raw) > MOST_BYTES:
        raw, faults = raw[: 64 * 1024], ["too_large"]
    if raw.count(b"\nContent-Type:") + raw.count(b"\ncontent-type:") > MOST_PARTS:
        raw, faults = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", [*faults, "too_many_parts"]
    heads = _heads(raw, faults)
    text, attachments = ("", 0) if faults else _body(raw, faults)
    if len(text) > MOST_TEXT:
        text = text[:MOST_TEXT]
        faults.append("text_cut")
    return MailRead(
        message_id=_first_id(heads.get("message-id", "")),
        sender=_address(heads.get("from", ""), faults),
        to=tuple(_addresses(heads)),
        subject=_line(heads.get("subject", "")),
        text=text,
        answers=tuple(dict.fromkeys(_ID.findall(f"{heads.get('in-reply-to', '')} {heads.get('references', '')}")))[
            -40:
        ],
        sent_at=_date(heads.get("date", "")),
        vouched=_vouched(raw, authserv),
        is_automatic=_automatic(heads),
        attachments=attachments,
        faults=tuple(dict.fromkeys(faults)),
    )


def _heads(raw: bytes, faults: list[str]) -> dict[str, str]:
    """Headers by name, decoded; of those that come twice the first, and a doubled From is a fault."""
    heads: dict[str, str] = {}
    try:
        message = message_from_bytes(raw.partition(b"\r\n\r\n")[0][: 256 * 1024] + b"\r\n\r\n", policy=policy.default)
        names = [name.lower() for name in message]
    except _BROKEN:
        faults.append("unreadable")
        return heads
    if names.count("from") > 1:
        faults.append("two_senders")
    for name in ("from", "to", "cc", "delivered-to", "subject", "message-id", "in-reply-to", "references", "date",
                 "auto-submitted", "precedence"):  # fmt: skip
        try:
            value = message.get(name)
            heads[name] = "" if value is None else str(value)[:MOST_HEADER]
        except _BROKEN:
            faults.append("header_unreadable")
            heads[name] = ""
    return heads


def _body(raw: bytes, faults: list[str]) -> tuple[str, int]:
    try:
        parsed: Any = mailparser.parse_from_bytes(raw)
        plain = "\n".join(str(part) for part in parsed.text_plain[:10]).strip()
        rich = [str(part) for part in parsed.text_html[:5]]
        attachments = len(parsed.attachments)
    except _BROKEN:
        faults.append("unreadable")
        return "", 0
    if not plain and rich:
        plain = _as_text("\n".join(rich)[: 4 * MOST_TEXT])
        faults.append("html_only")
    if attachments:
        faults.append("attachments_left")
    return _tidy(plain), attachments


def _as_text(rich: str) -> str:
    """The words of HTML: what is not text (scripts, styles, comments, attributes) is gone, not hidden."""
    broken = _BREAKS.sub("\n", rich)
    return html.unescape(nh3.clean(broken, tags=set(), attributes={}, clean_content_tags={"script", "style", "title"}))


def _tidy(text: str) -> str:
    kept = "".join(
        char for char in text.replace("\r\n", "\n").replace("\r", "\n") if char in "\n\t" or char.isprintable()
    )
    return _BLANKS.sub("\n\n", kept).strip()


def _line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]


def _address(text: str, faults: list[str]) -> str:
    """The one address of a From; none where it holds several or something else, so that no display name is believed."""
    address = parseaddr(text)[1].strip().lower()
    if (
        address.count("@") != 1
        or not address.isascii()
        or len(address) > 254
        or any(char in address for char in " <>,;\"'")
    ):
        faults.append("sender_unreadable")
        return ""
    return address


def _addresses(heads: dict[str, str]) -> list[str]:
    found = re.findall(
        r"[A-Za-z0-9._%+-]{1,120}@[A-Za-z0-9.-]{1,120}",
        " ".join(heads.get(n, "") for n in ("to", "cc", "delivered-to")),
    )
    return [one.lower() for one in dict.fromkeys(found)][:MOST_ADDRESSES]


def _first_id(text: str) -> str:
    found = _ID.search(text)
    return found[0] if found else ""


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except _BROKEN:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return at if 2000 <= at.year <= 2100 else None


def _vouched(raw: bytes, authserv: str) -> bool:
    """Whether our own server says that the sender's domain sent this: DMARC, or DKIM or SPF, in the topmost header."""
    if not authserv:
        return False
    head = raw.partition(b"\r\n\r\n")[0][: 64 * 1024].decode("ascii", "replace")
    unfolded = re.sub(r"\r?\n[ \t]+", " ", head)
    for line in unfolded.splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "authentication-results":
            server = value.strip().partition(";")[0].split(" ")[0].strip().lower()
            return server == authserv.lower() and bool(_PASS.search(value)) and "dmarc=fail" not in value.lower()
    return False


def _automatic(heads: dict[str, str]) -> bool:
    said = heads.get("auto-submitted", "").strip().lower()
    return (bool(said) and said != "no") or heads.get("precedence", "").strip().lower() in (
        "bulk",
        "junk",
        "auto_reply",
    )
