"""Doudian's SMS → facts (doudian-openapi §10.1). Two levels of success: the gateway's code and `data.code`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.platforms.doudian.signing import canonical
from bufa.integrations.ports import Page, ProviderError, SmsReceipt
from bufa.integrations.wire import child, instant, number, rows, text

_STATUS: dict[int, Literal["waiting", "failed", "delivered"]] = {1: "waiting", 2: "failed", 3: "delivered"}


def send_params(
    settings: Settings, phone_cipher: str, template_id: str, params: Mapping[str, str], tag: str
) -> dict[str, Any]:
    """The parameters of sms.send: `post_tel` takes the cipher, `template_param` is JSON text."""
    return {
        "sms_account": settings.sms_account,
        "sign": settings.sms_sign,
        "template_id": template_id,
        "template_param": canonical(dict(params)),
        "post_tel": phone_cipher,
        "tag": tag or None,
    }


def accepted_id(data: Any, *, log_id: str, raw: bytes) -> str:
    """The message id, once the inner level says yes too. Raises ProviderError."""
    answer = child(data)
    code = number(answer.get("code"))
    if code != 0:
        said = text(answer.get("message"))
        raise ProviderError("business", sub_code=str(code), log_id=log_id, text=said, raw=raw)
    return text(answer.get("message_id"))


def receipts(data: Any, page: int, size: int) -> Page[SmsReceipt]:
    """sms.sendResult. The text that was sent is left where it is: it is the buyer's."""
    found = tuple(
        SmsReceipt(
            message_id=text(row.get("message_id")),
            status=_STATUS.get(number(row.get("status")), "waiting"),
            sent_at=instant(row.get("send_time")),
            code=text(row.get("code")),
            text=text(row.get("message")),
            tag=text(row.get("tag")),
        )
        for row in rows(child(data).get("sms_send_result_list"))
    )
    total = number(child(data).get("total"), -1)
    more = (page + 1) * size < total if total >= 0 else len(found) == size
    return Page(found, total, bool(found) and more)
