"""The post office: SMTP in, mailboxes, and carriers that answer by mail after some hours."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from simulator import carriers, imap
from simulator.clock import HOUR, between_hours
from simulator.journal import Journal
from simulator.ledger import Ledger
from simulator.state import Mail, Order, Parcel
from simulator.trouble import Trouble
from simulator.world import World

_WORD = re.compile(r"[A-Z0-9]{8,24}")
_SUBJECT = "回复：{subject}"
_CONSENT = (
    "您好，关于运单{number}（订单{order}）：经核查，该件在我司运输环节{fault}。同意补发，"
    "补发运费由我司承担，原件按实际价值赔付，赔付上限{limit}元，请于7日内提供价值证明。处理编号：{ticket}。{name}客服部"
)
_CHECKING = "您好，运单{number}我们还在核实，已通知相关网点查找，预计48小时内答复。处理编号：{ticket}。{name}客服部"
_REFUSE = "您好，经核查运单{number}目前仍在正常流转，暂不符合补发条件，请耐心等待。{name}客服部"
_UNKNOWN = "您好，来信中未找到我司运单号，请补充运单号后再发送，谢谢。{name}客服部"
NOBODY = "nobody"
_REFUSING = frozenset({"cut", "http500", "20000", "60000"})
_FAULTS = {
    "lost": "中转后未再出现，判定遗失",
    "damaged": "外包装受损、内件损坏",
    "never_collected": "网点未及时揽收",
    "not_received": "未按址派送即录入签收",
    "short": "封装受损致内件短少",
    "returned": "派送异常被退回",
}


class PostOffice:
    """Takes every mail. A carrier answers by the order's own luck; the answer lies in the sender's mailbox."""

    def __init__(self, world: World, ledger: Ledger, trouble: Trouble, password: str = "") -> None:
        self.password = password
        self._imap: asyncio.AbstractServer | None = None
        self.world = world
        self.ledger = ledger
        self.trouble = trouble
        self.journal = Journal(None)
        self._server: asyncio.AbstractServer | None = None

    async def listen(self, host: str, port: int) -> int:
        """Open the SMTP port; returns the one that was taken (0 asks for any)."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, enable_SMTPUTF8=True, hostname="mail.sim.example", loop=loop), host, port
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def listen_imap(self, host: str, port: int = 0) -> int:
        """Open the IMAP port of all mailboxes; returns the one that was taken."""
        self._imap, taken = await imap.listen(host, port, self.password, lambda: self.world.mails)
        return taken

    def close(self) -> None:
        for server in (self._server, self._imap):
            if server is not None:
                server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 aiosmtpd's name
        with self.world.clock.hold():
            return await self._handle(server, envelope)

    async def _handle(self, server: SMTP, envelope: Envelope) -> str:
        raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
        rcpts = [str(r) for r in envelope.rcpt_tos]
        self.journal.note_mail(str(envelope.mail_from or ""), rcpts, raw)
        entry = self.ledger.receive("smtp", "DATA", raw)
        trouble = self.trouble.take("smtp", "DATA")
        if trouble is not None and trouble[0] in {"slow", "hang"}:
            await asyncio.sleep(trouble[1])
        if trouble is not None and trouble[0] in _REFUSING:
            entry.facts = {"to": rcpts, "outcome": 451}
            self.ledger.done(entry)
            return "451 4.3.0 temporary failure, try again later"
        mail = self.take(str(envelope.mail_from or ""), rcpts, raw)
        entry.facts = {"to": rcpts, "subject": mail.subject, "outcome": 250}
        self.ledger.done(entry)
        if trouble is not None and trouble[0] == "reply_lost" and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return "250 2.0.0 OK"

    def again(self, sender: str, rcpts: list[str], raw: bytes) -> None:
        """A mail of a world that is lived again."""
        trouble = self.trouble.take("smtp", "DATA")
        if trouble is None or trouble[0] not in _REFUSING:
            self.take(sender, rcpts, raw)

    def take(self, sender: str, rcpts: list[str], raw: bytes) -> Mail:
        """Put a mail into the mailboxes it is for; carriers get to work."""
        message: Any = message_from_bytes(raw, policy=policy.default)
        part = message.get_body(("plain", "html")) if isinstance(message, EmailMessage) else None
        text = str(part.get_content()) if part is not None else ""
        subject = str(message.get("subject", ""))
        message_id = str(message.get("message-id", ""))
        now = self.world.clock.now()
        mail = Mail(now, "", sender, rcpts, subject, text, message_id, str(message.get("in-reply-to", "")), len(raw))
        mail.reply_to = parseaddr(str(message.get("reply-to", "")))[1]
        for box in rcpts:
            if box.lower().startswith(NOBODY):
                self._give_back(box, mail)
                continue
            self.world.mails.append(replace(mail, box=box.lower()))
            code = box.lower().rsplit("@", 1)[-1].split(".")[0]
            if box.lower().endswith(carriers.MAIL_DOMAIN) and code in carriers.CARRIERS:
                self._carrier_reads(code, box, mail)
        return mail

    def _give_back(self, box: str, mail: Mail) -> None:
        """Nobody has this address: the sender gets a report as RFC 3464 wants it."""
        number = self.world.count("bounce")
        mailer = f"mailer-daemon@{carriers.MAIL_DOMAIN}"
        subject, words = "Undelivered Mail Returned to Sender", f"550 5.1.1 <{box}>: user unknown"
        report = Mail(self.world.clock.now(), mail.sender.lower(), mailer, [mail.sender], subject, words,
                      f"<bounce-{number}@{carriers.MAIL_DOMAIN}>", "", len(words))  # fmt: skip
        report.returned = (box, mail.message_id)
        self.world.mails.append(report)

    def _named(self, mail: Mail) -> Parcel | None:
        for word in _WORD.findall(f"{mail.subject} {mail.text}"):
            if word in self.world.by_number:
                return self.world.by_number[word]
        for word in _WORD.findall(f"{mail.subject} {mail.text}"):
            order = self.world.orders.get(word)
            if order is not None and order.packages:
                return self.world.by_number.get(order.packages[0].number)
        return None

    def _carrier_reads(self, code: str, box: str, mail: Mail) -> None:
        parcel = self._named(mail)
        name = carriers.CARRIERS[code].name
        rng = self.world.rng(f"answer:{code}:{self.world.count('answer')}")
        if parcel is None:
            self._later(rng.uniform(1, 6), box, mail, _UNKNOWN.format(name=name))
            return
        order = self.world.orders[parcel.order_id]
        answer = self._attitude(order, parcel)
        words = {
            "number": parcel.number,
            "order": order.order_id,
            "fault": _FAULTS.get(parcel.life.outcome, "出现延误"),
            "limit": max(order.pay_fen // 100, 1),
            "ticket": f"{code[:2].upper()}{rng.randrange(10**8):08d}",
            "name": name,
        }
        if answer == "checking":
            self._later(rng.uniform(1, 6), box, mail, _CHECKING.format(**words))
            self._later(rng.uniform(20, 44), box, mail, _CONSENT.format(**words))
        elif answer == "consent":
            self._later(rng.uniform(2, 20), box, mail, _CONSENT.format(**words))
        elif answer == "slow":  # the third mail is the one that is read
            count = self.world.count(f"slow:{parcel.number}")
            if count >= 3:
                self._later(rng.uniform(2, 5), box, mail, _CONSENT.format(**words))
        elif answer == "refuse":
            self._later(rng.uniform(2, 12), box, mail, _REFUSE.format(**words))

    def _attitude(self, order: Order, parcel: Parcel) -> str:
        """Carriers refuse what is plainly on its way or was handed over."""
        if parcel.life.outcome == "delivered" and order.carrier_answer == "consent":
            return "refuse"
        return order.carrier_answer

    def _later(self, hours: float, box: str, mail: Mail, text: str) -> None:
        now = self.world.clock.now()
        when = between_hours(now + hours * HOUR, 8, 20, int(hours * 600))

        def arrive() -> None:
            number = self.world.count("reply")
            self.world.mails.append(
                Mail(
                    self.world.clock.now(),
                    mail.sender.lower(),
                    box,
                    [mail.reply_to or mail.sender],
                    _SUBJECT.format(subject=mail.subject),
                    text,
                    f"<reply-{number}@{carriers.MAIL_DOMAIN}>",
                    mail.message_id,
                    len(text.encode()),
                )
            )

        self.world.line.at(when, arrive)
