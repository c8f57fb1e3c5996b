"""Mail: sent, not sent, or known to be unknown; against a server that follows a script."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest

from bufa.integrations.messaging.smtp.client import Client
from bufa.integrations.messaging.smtp.settings import Settings
from bufa.integrations.ports import MailOut, ProviderError

MAIL = MailOut(
    message_id="<case-1.round-1@shop.test>",
    sender="晴天小铺 <desk@shop.test>",
    to=("claims@zto.test",),
    subject="补发申请：73800112233445",
    text="您好：\n.这一行以点开头\n订单已丢失。\n",
    reply_to="case-1@shop.test",
    in_reply_to="<earlier@zto.test>",
    sent_at=datetime(2026, 3, 5, 1, 0, tzinfo=UTC),
)


class Server:
    """Answers by the first word of each command; `None` hangs up instead. Keeps what it was told."""

    def __init__(self, answers: dict[str, str | None]) -> None:
        self.answers = {
            "hello": "220 hi",
            "EHLO": "250 ok",
            "MAIL": "250 ok",
            "RCPT": "250 ok",
            "DATA": "354 go on",
            ".": "250 queued as Q1",
            "QUIT": "221 bye",
        } | answers
        self.commands: list[str] = []
        self.message = b""
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        line, _ = self._door.accept()
        with line, line.makefile("rb") as told:
            if not self._say(line, "hello"):
                return
            for command in told:
                word = command.decode().split(" ")[0].strip().upper()
                self.commands.append(command.decode().strip())
                if not self._say(line, word):
                    return
                if word == "DATA" and (self.answers["DATA"] or "").startswith("354"):
                    parts = []
                    for part in told:
                        if part == b".\r\n":
                            break
                        parts.append(part)
                    self.message = b"".join(parts)
                    if not self._say(line, "."):
                        return

    def _say(self, line: socket.socket, word: str) -> bool:
        answer = self.answers.get(word, "502 what?")
        if answer is None:
            return False
        line.sendall(answer.encode() + b"\r\n")
        return True

    def close(self) -> None:
        self._door.close()
        self._thread.join(timeout=5)


@contextmanager
def server(**answers: str | None) -> Iterator[Server]:
    made = Server({{"END": "."}.get(word, word): answer for word, answer in answers.items()})
    try:
        yield made
    finally:
        made.close()


def client(port: int, **more: str) -> Client:
    return Client(Settings("127.0.0.1", port, security="none", **more))


def failing(**answers: str | None) -> ProviderError:
    with server(**answers) as far, pytest.raises(ProviderError) as caught:
        client(far.port).send(MAIL)
    return caught.value


def flags(error: ProviderError) -> tuple[str, bool, bool]:
    return error.why, error.retryable, error.unknown


def test_a_mail_arrives_whole():
    with server() as far:
        sent = client(far.port).send(MAIL)
    assert (sent.request_id, sent.message_id, sent.raw) == ("250", MAIL.message_id, b"queued as Q1")
    assert far.commands[1:4] == ["mail FROM:<desk@shop.test>", "rcpt TO:<claims@zto.test>", "DATA"]
    assert far.message.isascii()
    got = message_from_bytes(far.message, policy=default)
    assert got["Subject"] == "补发申请：73800112233445"
    assert got["From"] == "晴天小铺 <desk@shop.test>"
    assert got["Message-ID"] == MAIL.message_id
    assert got["In-Reply-To"] == "<earlier@zto.test>"
    assert got["Reply-To"] == "case-1@shop.test"
    assert got["Date"].datetime == MAIL.sent_at
    assert got.get_content() == MAIL.text.replace("\n", "\r\n")
    assert got.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"hello": "421 later"}, ("busy", True, False)),
        ({"hello": None}, ("refused_connection", True, False)),
        ({"MAIL": "550 no"}, ("business", False, False)),
        ({"RCPT": "450 greylisted"}, ("busy", True, False)),
        ({"RCPT": "550 no such user"}, ("business", False, False)),
        ({"RCPT": None}, ("refused_connection", True, False)),
        ({"DATA": "451 not now"}, ("busy", True, False)),
        ({"DATA": "554 never"}, ("business", False, False)),
        ({"DATA": None}, ("refused_connection", True, False)),
        ({"END": "452 full"}, ("busy", True, False)),
        ({"END": "554 spam"}, ("business", False, False)),
        ({"END": None}, ("cut", False, True)),
        ({"END": "gibberish"}, ("malformed", False, True)),
    ],
)
def test_only_a_cut_after_the_message_leaves_a_doubt(answers, expected):
    assert flags(failing(**answers)) == expected


def test_a_server_that_hangs_up_instead_of_saying_goodbye_has_the_mail():
    with server(QUIT=None) as far:
        assert client(far.port).send(MAIL).request_id == "250"


def test_nobody_there_is_not_sent():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(ProviderError) as caught:
        client(port).send(MAIL)
    assert flags(caught.value) == ("refused_connection", True, False)


def test_a_log_in_that_the_server_does_not_offer_is_denied():
    with server() as far, pytest.raises(ProviderError) as caught:
        client(far.port, username="u", password="p").send(MAIL)
    assert flags(caught.value) == ("denied", False, False)


def test_a_wrong_password_is_not_tried_again():
    with server(EHLO="250-hi\r\n250 AUTH PLAIN", AUTH="535 wrong") as far, pytest.raises(ProviderError) as caught:
        client(far.port, username="u", password="p").send(MAIL)
    assert flags(caught.value) == ("token", False, False)


def test_a_server_without_tls_gets_no_mail_that_wants_it():
    with server() as far, pytest.raises(ProviderError) as caught:
        Client(Settings("127.0.0.1", far.port, security="starttls")).send(MAIL)
    assert flags(caught.value) == ("denied", False, False)


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": "one\r\nBcc: other@x.test"},
        {"to": ()},
        {"to": ("李四@例子.中国",)},
        {"to": ("a@b.test> RCPT TO:<c@d.test",)},
        {"sender": "nobody"},
    ],
)
def test_a_mail_that_cannot_be_written_never_leaves(changed):
    with pytest.raises(ProviderError) as caught:
        client(9).send(replace(MAIL, **changed))
    assert flags(caught.value) == ("input", False, False)
