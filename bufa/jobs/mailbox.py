"""Asking shops' mailboxes for what carriers answered. Each mail is taken once, in a transaction of its own."""

from __future__ import annotations

import logging
from datetime import timedelta

from procrastinate.contrib.django import app

from bufa.apps.negotiations import mails
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops import queries as shops
from bufa.apps.shops.clients import mailbox_for
from bufa.domain.outcome import Refused
from bufa.integrations import registry
from bufa.integrations.mailbox import MailIn
from bufa.integrations.ports import ProviderError
from bufa.lib import clock
from bufa.lib.queue import hint

RUN = "mailbox.poll"
AT_ONCE = 50
MOST_ROUNDS = 20
FIRST_LOOK = timedelta(days=3)
"""How far back a mailbox is read that was never read before: not years of other people's mail."""

log = logging.getLogger(__name__)


@app.task(name=RUN)
def run(shop_id: int) -> None:
    """Read what is new in one shop's mailbox."""
    poll(shop_id)


def poll(shop_id: int) -> int:
    """Take every mail that is new; returns how many were. A mailbox that can't be reached is asked again next time."""
    info = shops.connection(shop_id, "smtp")
    client = mailbox_for(shop_id)
    if info is None or client is None:
        return 0
    at = info.progress.get("mailbox") or {}
    uid, validity, taken = int(at.get("uid", 0)), int(at.get("validity", 0)), 0
    for _ in range(MOST_ROUNDS):
        try:
            found = client.fetch(uid, validity, (clock.now() - FIRST_LOOK).date(), AT_ONCE)
        except ProviderError as error:
            log.warning("a mailbox could not be read: %s", error.why, extra={"shop_id": shop_id})
            return taken
        for mail in found.mails:
            taken += take(shop_id, mail.raw, str(info.settings.get("authserv", "")), mail)
            uid = mail.uid
        validity = found.validity
        there = shops.connection(shop_id, "smtp")
        kept = dict(there.progress) if there else {}
        shop_actions.set_sync(
            shop_id=shop_id, kind="smtp", progress={**kept, "mailbox": {"uid": uid, "validity": validity}}
        )
        if not found.has_more:
            break
    return taken


def take(shop_id: int, raw: bytes, authserv: str, mail: MailIn | None = None) -> int:
    """One mail in; 0 for one that had come before, an answer of a machine, or our own."""
    reader = registry.load_reader("mailbox", "imap")
    if (back := reader.bounce(raw)) is not None and mails.take_bounce(shop_id=shop_id, bounce=back, now=clock.now()):
        return 1
    read = reader.read(raw, authserv)
    info = shops.connection(shop_id, "smtp")
    own = str(info.settings.get("sender", "")).lower() if info else ""
    if read.is_automatic or (read.sender and read.sender == own):
        return 0
    try:
        done = mails.take_mail(shop_id=shop_id, mail=read, raw_digest=mails.raw_digest(raw), now=clock.now())
    except Refused as refused:
        log.warning("a mail was left: %s", refused.why.code, extra={"shop_id": shop_id})
        return 0
    return int(done.mail_id != 0)


def wake() -> int:
    """Ask for every shop whose mail connection names a mailbox."""
    asked = 0
    for shop_id in shops.all_shop_ids():
        info = shops.connection(shop_id, "smtp")
        if info is not None and info.state != "off" and info.settings.get("imap_host"):
            asked += hint(RUN, once=f"mailbox:{shop_id}", shop_id=shop_id)
    return asked
