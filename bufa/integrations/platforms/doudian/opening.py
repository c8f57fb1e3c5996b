"""Buyers' ciphers opened at the moment of use, and the report of who looked (doudian-openapi §10.3, §10.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bufa.integrations.ciphers import Look, Opened
from bufa.integrations.ports import ProviderError
from bufa.integrations.wire import child, instant, number, rows, text, truth

ALL_FAILED = "300008"
_VIEW = 1
_ACCESS = 1
_ACCOUNT_TYPE = "sub_account"


def decrypt_params(order_number: str, ciphers: Mapping[str, str], account: str) -> dict[str, Any]:
    """order.batchDecrypt: a cipher opens only with the number of its own order."""
    infos = [{"auth_id": order_number, "cipher_text": cipher} for cipher in ciphers.values()]
    params: dict[str, Any] = {"cipher_infos": infos}
    if account:
        params |= {"account_id": account, "account_type": _ACCOUNT_TYPE}
    return params


def opened(data: Any, ciphers: Mapping[str, str]) -> Opened:
    """The answer, by our names of the fields. A row that is missing counts as failed."""
    by_cipher = {text(row.get("cipher_text")): row for row in rows(child(data).get("decrypt_infos"))}
    plain: dict[str, str] = {}
    failed: dict[str, str] = {}
    virtual: Mapping[str, Any] | None = None
    for name, cipher in ciphers.items():
        row = by_cipher.get(cipher, {})
        said = text(row.get("decrypt_text"))
        if number(row.get("err_no")) or not said:
            failed[name] = text(row.get("err_msg")) or str(number(row.get("err_no")))
            continue
        plain[name] = said
        if truth(row.get("is_virtual_tel")):
            virtual = row
    return Opened(
        plain,
        failed,
        is_virtual=virtual is not None,
        virtual_until=instant(virtual.get("expire_time")) if virtual else None,
    )


def none_opened(error: ProviderError, ciphers: Mapping[str, str]) -> Opened:
    """The platform answers with an error only when nothing at all could be opened."""
    return Opened({}, dict.fromkeys(ciphers, error.text or error.sub_code))


def view_params(look: Look, shop_id: str) -> dict[str, Any]:
    """security.batchReportOrderSecurityEvent with one view of one order."""
    event = {
        "event_id": look.event_id,
        "account_id": look.account,
        "account_type": _ACCOUNT_TYPE,
        "order_related_shop_id": shop_id,
        "shop_ids": [shop_id],
        "order_ids": [look.order_number],
        "operation_type": _VIEW,
        "operate_time": int(look.at.timestamp()),
        "url": look.url,
        "ip": look.ip,
        "identify_info_list": [{"name": name, "encrypted": cipher} for name, cipher in look.ciphers.items()],
        "referer": look.referer,
        "user_agent": look.user_agent,
    }
    return {"event_type": _ACCESS, "events": [event]}
