"""Fetching what is new in a mailbox. Nothing there is changed: no mail is marked as seen, moved or deleted."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError

from bufa.integrations import wire
from bufa.integrations.mailbox import MailIn, NewMails
from bufa.integrations.messaging.imap.settings import Settings
from bufa.integrations.ports import ProviderError
from bufa.lib import reach

STEP_S = 10.0
MOST_BYTES = 5 * 1024 * 1024
HEAD_BYTES = 64 * 1024
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class _Plain(imaplib.IMAP4):
    """Connects only where `bufa.lib.reach` allows, and to the address that was checked."""

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return reach.connect(self.host, self.port, timeout)


class _Tls(imaplib.IMAP4_SSL):
    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        context: ssl.SSLContext = self.ssl_context
        return context.wrap_socket(reach.connect(self.host, self.port, timeout), server_hostname=self.host)


class _Box(BaseMailBox):
    """A mailbox reached by `security`: tls, starttls, none. Certificates are checked; imaplib by itself does not."""

    def __init__(self, host: str, port: int, security: str) -> None:
        self._host, self._port, self._security = host, port, security
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        if self._security == "tls":
            return _Tls(self._host, self._port, ssl_context=ssl.create_default_context(), timeout=STEP_S)
        client = _Plain(self._host, self._port, timeout=STEP_S)
        if self._security == "starttls":
            client.starttls(ssl.create_default_context())
        return client


class Client:
    """Implements CanFetchMail."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def fetch(self, after_uid: int, validity: int, since: date, limit: int = 50) -> NewMails:
        """Mails with a higher uid than the last one seen, oldest first; of one above 5 MB only the head comes.

        A mailbox that was never read, or was made anew (`validity` differs), is read from the day `since` on. Raises
        ProviderError.
        """
        with self._open() as box:
            now = int(box.folder.status(self._settings.imap_folder, ["UIDVALIDITY"])["UIDVALIDITY"])
            seen = after_uid if now == validity else 0
            wanted = f"UID {seen + 1}:*" if seen else f"SINCE {since:%d-%b-%Y}"
            uids = sorted(uid for uid in (int(one) for one in box.uids(wanted)) if uid > seen)
            return NewMails(now, tuple(self._one(box, uid) for uid in uids[:limit]), len(uids) > limit)

    def check(self) -> None:
        """Log in and open the folder. Raises ProviderError."""
        with self._open():
            pass

    def _one(self, box: BaseMailBox, uid: int) -> MailIn:
        size = int((_SIZE.search(_first(box, uid, "(RFC822.SIZE)")[0]) or [b"", b"0"])[1])
        part = "(BODY.PEEK[])" if size <= MOST_BYTES else f"(BODY.PEEK[]<0.{HEAD_BYTES}>)"
        return MailIn(uid, _first(box, uid, part)[1], size)

    @contextmanager
    def _open(self) -> Iterator[BaseMailBox]:
        settings = self._settings
        login = settings.imap_username or settings.username
        wire.still_in_time()
        try:
            box = _Box(settings.imap_host, settings.imap_port, settings.imap_security)
        except reach.OutOfBounds as error:
            raise ProviderError("out_of_bounds", text=str(error)) from None
        except (OSError, imaplib.IMAP4.error) as error:
            raise ProviderError(_why(error), retryable=True, text=type(error).__name__) from None
        try:
            try:
                box.login(login, settings.imap_password or settings.password, initial_folder=settings.imap_folder)
            except ImapToolsError:
                raise ProviderError("denied", text="log-in or folder refused") from None
            yield box
        except (OSError, imaplib.IMAP4.error, ImapToolsError, UnicodeError) as error:
            raise ProviderError(_why(error), retryable=True, text=type(error).__name__) from None
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                box.client.shutdown()


def _first(box: BaseMailBox, uid: int, what: str) -> tuple[bytes, bytes]:
    """(the server's line, the literal behind it) of one fetch."""
    state, answer = box.client.uid("fetch", str(uid), what)
    found: Any = answer[0] if state == "OK" and answer else None
    if isinstance(found, tuple):
        return bytes(found[0]), bytes(found[1])
    return (bytes(found), b"") if isinstance(found, bytes) else (b"", b"")


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "denied"
    return "refused_connection" if isinstance(error, ConnectionRefusedError) else "cut"
