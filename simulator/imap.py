"""The mailboxes from inside: a real IMAP server (pymap) over the mails that the post office holds."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from proxyprotocol.noop import ProxyProtocolNoop
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login, Session
from pymap.exceptions import InvalidAuth
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pysasl.creds.server import ServerCredentials
from pysasl.identity import ClearIdentity

from simulator.state import Mail

AUTHSERV = "mail.sim.example"


def _arguments() -> argparse.Namespace:
    return argparse.Namespace(
        debug=False, host="127.0.0.1", port="0", cert=None, key=None, tls=False, passlib_cfg=None,
        proxy_protocol=None, reject_dnsbl=False, insecure_login=True, inherited_sockets=None,
        demo_data=False, demo_user="nobody", demo_password="",
    )  # fmt: skip


class Boxes(Login):
    """Whoever knows the post office's one password opens any mailbox, by its address."""

    def __init__(self, config: Config, password: str, mails: Callable[[], Sequence[Mail]]) -> None:
        super().__init__(config)
        self.password = password
        self.mails = mails
        self.held: dict[str, int] = {}

    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        name = credentials.authcid.lower()
        if not credentials.verify(ClearIdentity(credentials.authcid, self.password)):
            raise InvalidAuth
        return Box(name, self)

    async def authorize(self, authenticated: Any, authzid: str) -> Identity:
        return Box(authenticated.name, self)


class Box(Identity):
    """One mailbox: what has come for it since it was last opened is put into its inbox first."""

    def __init__(self, name: str, login: Boxes) -> None:
        super().__init__(name, login, None, frozenset())
        self.boxes = login

    async def get(self) -> Any:
        return None

    @asynccontextmanager
    async def new_session(self) -> AsyncIterator[Session]:
        async with super().new_session() as session:
            mine = [mail for mail in self.boxes.mails() if mail.box == self.name]
            inbox = await session.mailbox_set.get_mailbox("INBOX")
            for mail in mine[self.boxes.held.get(self.name, 0) :]:
                await inbox.append(AppendMessage(raw(mail), datetime.fromtimestamp(mail.at, UTC)))
            self.boxes.held[self.name] = len(mine)
            yield session


def raw(mail: Mail) -> bytes:
    """The mail as its mailbox holds it: with the server's word on who sent it."""
    if mail.returned[1]:
        return _report(mail)
    message = EmailMessage(policy=SMTP)
    message["Authentication-Results"] = f"{AUTHSERV}; spf=pass smtp.mailfrom={mail.sender}; dkim=pass"
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = datetime.fromtimestamp(mail.at, UTC)
    message["Message-ID"] = mail.message_id
    if mail.in_reply_to:
        message["In-Reply-To"] = mail.in_reply_to
    message.set_content(mail.text, charset="utf-8", cte="base64")
    return message.as_bytes()


def _report(mail: Mail) -> bytes:
    """The report of a mail that could not be delivered, as RFC 3464 wants it."""
    box, message_id = mail.returned
    mark = "=_report_of_a_mail"
    lines = [
        f"From: {mail.sender}",
        f"To: {', '.join(mail.to)}",
        f"Subject: {mail.subject}",
        f"Date: {format_datetime(datetime.fromtimestamp(mail.at, UTC))}",
        f"Message-ID: {mail.message_id}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type="delivery-status"; boundary="{mark}"',
        "",
        f"--{mark}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        mail.text,
        f"--{mark}",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; {AUTHSERV}",
        "",
        f"Final-Recipient: rfc822; {box}",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 user unknown",
        "",
        f"--{mark}",
        "Content-Type: text/rfc822-headers",
        "",
        f"Message-ID: {message_id}",
        "",
        f"--{mark}--",
        "",
    ]
    return "\r\n".join(lines).encode()


async def listen(
    host: str, port: int, password: str, mails: Callable[[], Sequence[Mail]]
) -> tuple[asyncio.AbstractServer, int]:
    """Open the IMAP port; returns the server and the port that was taken (0 asks for any)."""
    config = Config.from_args(_arguments(), secure_auth=False)
    config.set_cache.clear()
    serve = ProxyProtocolReader(ProxyProtocolNoop()).get_callback(IMAPServer(Boxes(config, password, mails), config))
    server = await asyncio.start_server(serve, host, port)
    return server, int(server.sockets[0].getsockname()[1])
