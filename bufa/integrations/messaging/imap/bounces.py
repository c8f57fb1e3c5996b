"""Mails that came back: which of ours, and why. RFC 3464 reports, and the plain letters that many servers write."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parseaddr

from bufa.integrations.mailbox import Bounce

MOST_BYTES = 512 * 1024
_ID = re.compile(r"<[^<>\s@]{1,200}@[^<>\s]{1,120}>")
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError)


def read(raw: bytes) -> Bounce | None:
    """What a bounce says; None for a mail that is none. `message_ids`: all that it names, ours among them if it is
    ours: nobody else knows them."""
    raw = raw[:MOST_BYTES]
    try:
        message = message_from_bytes(raw, policy=policy.default)
        kind = message.get_content_type()
        sender = parseaddr(str(message.get("from", "")))[1].lower().partition("@")[0]
        is_report = kind == "multipart/report" and "delivery-status" in str(message.get("content-type", "")).lower()
        if not is_report and sender not in ("mailer-daemon", "postmaster"):
            return None
        status, action = _report(message)
    except _BROKEN:
        return None
    text = raw.decode("utf-8", "replace")
    if not status:
        found = _STATUS.search(text)
        status = found[0] if found else ""
    own = str(message.get("message-id", "")).strip()
    ids = tuple(one for one in dict.fromkeys(_ID.findall(text)) if one != own)[:40]
    permanent = action == "failed" or (not action and not status.startswith(("4", "2")))
    return Bounce(ids, status, permanent) if ids else None


def _report(message: Message) -> tuple[str, str]:
    """(status, action) of the machine-readable part; ("", "") where there is none."""
    for part in list(message.walk())[:40]:
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if isinstance(block, Message) and block.get("action"):
                return str(block.get("status", "")).split(" ")[0].strip(), str(block["action"]).strip().lower()
    return "", ""
