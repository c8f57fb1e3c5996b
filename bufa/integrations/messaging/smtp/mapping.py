"""A mail as bytes that every server takes: CRLF, ASCII only, text in UTF-8."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formatdate

from bufa.integrations.ports import MailOut, ProviderError


def message_bytes(mail: MailOut) -> bytes:
    """The whole message. Raises ProviderError("input") for a header with a line break or an address outside ASCII."""
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = mail.sender
        message["To"] = ", ".join(mail.to)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(mail.sent_at) if mail.sent_at else formatdate()
        message["Message-ID"] = mail.message_id
        if mail.reply_to:
            message["Reply-To"] = mail.reply_to
        if mail.in_reply_to:
            message["In-Reply-To"] = mail.in_reply_to
            message["References"] = mail.in_reply_to
        if mail.is_automatic:
            message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text, charset="utf-8", cte="base64")
        told = message.as_bytes()
        told.decode("ascii")
    except (ValueError, LookupError, IndexError):
        raise ProviderError("input", text="the mail cannot be written") from None
    return told
