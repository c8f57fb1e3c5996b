"""Sending a mail by SMTP, knowing at each moment whether it has left.

Until the final dot the server has promised nothing: every failure before it means "not sent". After the message's first
byte a cut leaves the question open: `unknown`, and the Message-ID is what to look for.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import parseaddr

from bufa.integrations import wire
from bufa.integrations.messaging.smtp.mapping import message_bytes
from bufa.integrations.messaging.smtp.settings import Settings
from bufa.integrations.ports import MailOut, ProviderError, Sent
from bufa.lib import reach

STEP_S = 10.0
WHOLE_S = 14.0  # all steps together stay under an effect's lease (20 s)
_GO_ON = 354


class Client:
    """Implements CanSendMail."""

    def __init__(self, settings: Settings, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls

    def send(self, mail: MailOut) -> Sent:
        """Send to all recipients or to none. Raises ProviderError: 4xx before the message is retryable, 5xx is not; a
        cut after the message began is `unknown`."""
        told = message_bytes(mail)
        sender, recipients = _address(mail.sender), [_address(one) for one in mail.to]
        if not sender or not recipients or not all(recipients):
            raise ProviderError("input", text="an address is missing or wrong")
        wire.still_in_time()
        ends = time.monotonic() + WHOLE_S
        with _before_the_message():
            server = self._connect(ends)
        try:
            with _before_the_message():
                self._envelope(server, ends, sender, recipients)
            return self._message(server, ends, told, mail.message_id)
        finally:
            server.close()

    def _connect(self, ends: float) -> smtplib.SMTP:
        settings = self._settings
        seconds = min(STEP_S, ends - time.monotonic())
        # Reading the system's certificates takes 25 ms: not where nothing is encrypted.
        tls = self._tls or (ssl.create_default_context() if settings.security != "none" else None)
        server: smtplib.SMTP
        if settings.security == "tls":
            server = _PinnedTls(
                settings.host, settings.port, local_hostname=settings.helo, timeout=seconds, context=tls
            )
        else:
            server = _Pinned(settings.host, settings.port, local_hostname=settings.helo, timeout=seconds)
        try:
            server.ehlo_or_helo_if_needed()
            if settings.security == "starttls":
                _hurry(server, ends)
                server.starttls(context=tls)
                server.ehlo()
            if settings.username:
                _hurry(server, ends)
                server.login(settings.username, settings.password)
        except BaseException:
            server.close()
            raise
        return server

    def _envelope(self, server: smtplib.SMTP, ends: float, sender: str, recipients: list[str]) -> None:
        _hurry(server, ends)
        _want_2xx(*server.mail(sender))
        for recipient in recipients:
            _hurry(server, ends)
            _want_2xx(*server.rcpt(recipient))
        _hurry(server, ends)
        code, answer = server.docmd("DATA")
        if code != _GO_ON:
            _want_2xx(code if code >= 400 else 500, answer)

    def _message(self, server: smtplib.SMTP, ends: float, told: bytes, message_id: str) -> Sent:
        try:
            _hurry(server, ends)
            server.send(_dotted(told))
            _hurry(server, ends)
            code, answer = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            why = "timeout" if isinstance(error, TimeoutError) else "cut"
            raise ProviderError(why, unknown=True, text=type(error).__name__) from None
        if code <= 0:
            raise ProviderError("malformed", unknown=True, raw=answer)
        _want_2xx(code, answer)
        with suppress(OSError, smtplib.SMTPException):  # it has the message; how the two part does not matter
            server.quit()
        return Sent(request_id=f"{code}", message_id=message_id, raw=answer)


def _address(told: str) -> str:
    address = parseaddr(told)[1]
    whole = told.strip()
    ok = address.isascii() and address.count("@") == 1 and not any(char in address for char in " \r\n<>")
    return address if ok and (whole == address or whole.endswith(f"<{address}>")) else ""


def _dotted(message: bytes) -> bytes:
    body = message if message.endswith(b"\r\n") else message + b"\r\n"
    return smtplib.quotedata(body.decode("ascii")).encode("ascii") + b".\r\n"


def _hurry(server: smtplib.SMTP, ends: float) -> None:
    """Give the next step what is left of the whole time, at most STEP_S."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    if server.sock is not None:
        server.sock.settimeout(min(STEP_S, left))


def _want_2xx(code: int, answer: bytes) -> None:
    if not 200 <= code < 300:
        raise _refusal(code, answer)


def _refusal(code: int, answer: bytes | str) -> ProviderError:
    raw = answer if isinstance(answer, bytes) else answer.encode("utf-8", "replace")
    later = 400 <= code < 500
    why = "token" if code in {530, 534, 535} else "busy" if later else "business"
    return ProviderError(why, retryable=later, code=str(code), text=raw.decode("utf-8", "replace"), raw=raw)


class _Pinned(smtplib.SMTP):
    """Connects only where `bufa.lib.reach` allows, and to the address that was checked."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return reach.connect(host, port, timeout)


class _PinnedTls(smtplib.SMTP_SSL, _Pinned):
    """The same; `SMTP_SSL` wraps the socket that its next class opens."""


@contextmanager
def _before_the_message() -> Iterator[None]:
    """Whatever fails in here, the mail has not been sent."""
    try:
        yield
    except reach.OutOfBounds as error:
        raise ProviderError("out_of_bounds", text=str(error)) from None
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, error.smtp_error) from None
    except (ssl.SSLError, smtplib.SMTPNotSupportedError) as error:
        raise ProviderError("denied", text=type(error).__name__) from None
    except TimeoutError:
        raise ProviderError("timeout", retryable=True) from None
    except (OSError, smtplib.SMTPException) as error:
        raise ProviderError("refused_connection", retryable=True, text=type(error).__name__) from None
