"""Does a connection work? Asked from the settings page, by a person who waits for the answer."""

from __future__ import annotations

from uuid import uuid4

from bufa.apps.shops import actions, queries
from bufa.apps.shops.clients import client_for, mailbox_for
from bufa.apps.shops.models import ConnectionState
from bufa.domain.outcome import Refused
from bufa.integrations.ports import MailOut, ProviderError
from bufa.lib import clock

_NO_PARCEL = ("zhongtong", "78000000000001")


def authorize_url(shop_id: int, state: str) -> str:
    """Where the shop's owner agrees that a "tool" app may act for the shop."""
    url: str = client_for(shop_id, "doudian").authorize_url(state)
    return url


def try_connection(*, shop_id: int, kind: str, by: str, code: str = "", to: str = "") -> None:
    """Call the other side once and write down whether it answered. Opens no transaction around the call.

    Doudian: fetch tokens (`code` for a "tool" app) and the shop's pickup addresses. Tracking: ask for a number nobody
    has. Mail: send a line to `to`. Messages: ask about a number that nobody has. Raises Refused("connection_failed",
    kind, reason, said).
    """
    client = client_for(shop_id, kind)
    try:
        match kind:
            case "doudian":
                client.connect(code)
                for fact in client.addresses():
                    actions.set_pickup_address(shop_id=shop_id, fact=fact, by=by)
            case "smtp":
                client.send(_test_mail(shop_id, to))
                if (mailbox := mailbox_for(shop_id)) is not None:
                    mailbox.check()
            case _ if kind in queries.MESSAGE_KINDS:
                client.check()
            case "17track":
                client.quota()  # a query would register a number, and cost one of the quota
            case _:
                client.query(*_NO_PARCEL)
    except ProviderError as error:
        said = " ".join(part for part in (error.code, error.sub_code, error.text) if part)[:200]
        actions.set_connection_state(
            shop_id=shop_id,
            kind=kind,
            state=ConnectionState.FAILING,
            error=f"{error.why} {said}".strip(),
            now=clock.now(),
        )
        raise Refused("connection_failed", kind=kind, failure=error.why, said=said) from error
    actions.set_connection_state(shop_id=shop_id, kind=kind, state=ConnectionState.CONNECTED, now=clock.now())


def _test_mail(shop_id: int, to: str) -> MailOut:
    connection = queries.connection(shop_id, "smtp")
    sender = str(connection.settings.get("sender", "")) if connection else ""
    if not sender:
        raise Refused("no_mail_sender")
    token = f"<test.{uuid4().hex}@{sender.partition('@')[2] or 'bufa.invalid'}>"
    return MailOut(
        message_id=token,
        sender=sender,
        to=(to or sender,),
        subject="Bufa 测试邮件",
        text="收到这封信，说明邮件连接可用。",
    )
