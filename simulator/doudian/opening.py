"""Opening the platform's ciphers, field by field, and the reports of who looked."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from simulator.doudian.ciphers import ADDRESS, NAME, PHONE, Secret
from simulator.doudian.errors import Refusal, invalid, missing
from simulator.state import Json

if TYPE_CHECKING:
    from simulator.sim import Sim

MOST = 50
KINDS = {"address": ADDRESS, "name": NAME, "phone": PHONE}
_EVENT_FIELDS = (
    "event_id", "account_id", "account_type", "order_related_shop_id", "order_ids", "operation_type", "operate_time",
    "url", "ip", "identify_info_list", "referer", "user_agent",
)  # fmt: skip


def _ciphers(params: Json) -> list[Json]:
    infos = params.get("cipher_infos") or []
    if not infos:
        raise missing(300001, "cipher_infos 不能为空")
    if len(infos) > MOST:
        raise invalid(300001, "一次最多 50 条")
    return [info for info in infos if isinstance(info, dict)]


def virtual_number(sim: Sim, secret: Secret) -> str:
    """The order's stand-in phone, "main-extension": the same as long as the order lives."""
    rng = Random(f"{sim.seed}:virtual:{secret.order_id}")
    return f"1{rng.choice('3578')}{rng.randrange(10**9):09d}-{rng.randrange(10**4):04d}"


def _opened(sim: Sim, params: Json, *, masked: bool) -> Json:
    rows, bad = [], 0
    for info in _ciphers(params):
        secret = sim.vault.find(str(info.get("cipher_text")))
        row: Json = {"auth_id": info.get("auth_id"), "cipher_text": info.get("cipher_text"), "decrypt_text": ""}
        if secret is None or secret.order_id != str(info.get("auth_id")):
            bad += 1
            row |= {"err_no": 300004, "err_msg": "密文与订单不匹配"}
        elif not masked and secret.kind in sim.vault.broken:
            bad += 1
            row |= {"err_no": 300003, "err_msg": "解密失败，请稍后重试"}
        else:
            row |= {"err_no": 0, "err_msg": "", "data_type": secret.kind, "is_virtual_tel": False, "expire_time": 0}
            row["decrypt_text"] = secret.mask if masked else secret.plain
            if secret.kind == ADDRESS and masked:
                row["decrypt_text"] = "*" * 8
            if secret.kind == PHONE and not masked and sim.vault.virtual:
                whole = virtual_number(sim, secret)
                main, _, extension = whole.partition("-")
                row |= {"decrypt_text": whole, "is_virtual_tel": True, "expire_time": sim.clock.now() + 15 * 86400}
                row |= {"phone_no_a": main, "phone_no_b": extension}
        rows.append(row)
    if bad == len(rows):
        raise Refusal(50002, "业务处理失败", "isv.business-failed:300008", "全部解密失败")
    error = {"err_code": 300008 if bad else 0, "err_msg": "部分失败" if bad else ""}
    return {"decrypt_infos": rows, "custom_err": error}


def batch_decrypt(sim: Sim, params: Json) -> Json:
    """``order.batchDecrypt``: 50 at most; a cipher opens only with its own order number."""
    return _opened(sim, params, masked=False)


def batch_sensitive(sim: Sim, params: Json) -> Json:
    """``order.batchSensitive``: the masks."""
    return _opened(sim, params, masked=True)


def security_event(sim: Sim, params: Json) -> Json:
    """``security.batchReportOrderSecurityEvent``: each event whole; the same event_id again is the same event."""
    if params.get("event_type") not in {1, 2}:
        raise missing(1, "event_type 须为 1 或 2")
    events = params.get("events")
    if not isinstance(events, list) or not events:
        raise missing(1, "events 不能为空")
    for event in events:
        for name in _EVENT_FIELDS:
            if event.get(name) in (None, "", []):
                raise missing(1, f"events.{name} 不能为空")
        if len(event["order_ids"]) > MOST:
            raise invalid(1, "order_ids 一次最多 50 个")
        if not isinstance(event["operation_type"], int) or not 1 <= event["operation_type"] <= 9:
            raise invalid(1, "operation_type 取值 1 到 9")
    known = {event["event_id"] for event in sim.world.security_events}
    sim.world.security_events += [event for event in events if event["event_id"] not in known]
    return {}
