"""Trying a text before it is used: drawn with a case or made-up values, sent to one's own phone."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bufa.apps.audit import actions as audit
from bufa.apps.notices import planning, texts, wordings
from bufa.apps.shops import queries as shops
from bufa.apps.shops.clients import client_for
from bufa.domain import notice_wording
from bufa.domain.case_facts import Purpose
from bufa.domain.notices import Channel, Language, Rendered, Wording, date_range
from bufa.domain.outcome import Refused
from bufa.integrations.messages import Telling
from bufa.integrations.ports import ProviderError
from bufa.lib import clock

_MOBILE = re.compile(r"1[3-9]\d{9}")


def used_channels(shop_id: int, channels: Sequence[Channel]) -> tuple[Channel, ...]:
    """Those of the channels that the shop can use, or could with a connection it has."""
    there = shops.in_use(shop_id)
    return tuple(one for one in channels if one not in texts.CONNECTION_OF or texts.CONNECTION_OF[one] in there)


def sample_values(shop_id: int, language: Language, now: datetime) -> dict[str, Any]:
    """Made-up values in the length of real ones."""
    english = language is Language.EN
    return {
        "shop": shops.shop(shop_id).name,
        "order_tail": "0042",
        "reason": "it is probably lost" if english else "快件疑似丢失",
        "measure": "send it again" if english else "补发",
        "reissue": "R7K4-29HX-R",
        "carrier": "YTO Express" if english else "圆通速递",
        "number": "YT8000000000042",
        "eta_from": now + timedelta(days=2),
        "eta_to": now + timedelta(days=4),
    }


def draw_sample(
    shop_id: int, case_id: int | None, purpose: Purpose, channel: Channel, language: Language, wording: Wording
) -> Rendered:
    """The text with the values of a case; what the case does not have yet is made up. Raises Refused."""
    values = sample_values(shop_id, language, clock.now())
    if case_id is not None:
        values |= texts.values_of(shop_id, case_id, language, purpose)[1]
    return texts.draw(shop_id, purpose, channel, language, values, wording)


def send_test(*, shop_id: int, kind: str, phone: str, by: str) -> str:
    """Send a sample of the first approved text of this connection to one's own phone; returns the vendor's id of it.

    Raises Refused: phone_shape, no_approved_template, connection_failed. It counts to the day's budget like any other.
    """
    if not _MOBILE.fullmatch(phone.strip()):
        raise Refused("phone_shape")
    channel = next(channel for channel, name in texts.CONNECTION_OF.items() if name == kind)
    ready = [one for one in wordings.newest(shop_id).values() if one.channel is channel and one.may_be_sent]
    if not ready:
        raise Refused("no_approved_template")
    text = ready[0]
    values = sample_values(shop_id, text.language, clock.now())
    filled: Mapping[str, str] = {
        **{name: value for name, value in values.items() if isinstance(value, str)},
        "eta": date_range(values["eta_from"].date(), values["eta_to"].date(), text.language),
    }
    told = Telling(
        phone.strip(),
        text.vendor_id,
        notice_wording.parameters(text.text, filled),
        f"t{secrets.token_hex(7)}",
    )
    cost = planning.rules_of(shop_id).cost(channel, 1)
    planning.pay(shop_id, cost, clock.now())
    try:
        sent = client_for(shop_id, kind).tell(told)
    except ProviderError as error:
        said = " ".join(part for part in (error.code, error.text) if part)[:200]
        raise Refused("connection_failed", kind=kind, reason=error.why, said=said) from None
    audit.record(shop_id, by, "connection.test_message", f"connection:{kind}", {"message_id": sent.message_id})
    message_id: str = sent.message_id
    return message_id
