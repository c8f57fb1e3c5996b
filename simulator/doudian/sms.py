"""The platform's text messages: templates, sending to a cipher or a number, receipts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from simulator.doudian.ciphers import PHONE
from simulator.doudian.errors import Refusal, failed, invalid, missing
from simulator.state import Json, Order, Sms

if TYPE_CHECKING:
    from simulator.sim import Sim

ACCOUNT = "qinghe_sms"
SIGN = "青禾鲜果"
_FIELD = re.compile(r"\$\{(\w+)\}")


class Templates:
    """Templates of the account. A new one is approved at once."""

    def __init__(self) -> None:
        self.items: dict[str, str] = {
            "ST_7a1reissue": "您的订单${order_tail}因物流异常（${reason}），已安排${measure}，"
            "补发单号${carrier}${number}，预计${eta}送达，感谢理解。",
            "ST_7a2ticket": "您的订单${order_tail}物流异常，请在订单页申请售后“补寄”，提交后我们会尽快重新发货。",
            "ST_7a3arrived": "您的订单${order_tail}补发的商品（${number}）已送达，给您添麻烦了。",
        }
        self._next = 1

    def apply(self, content: str) -> str:
        template_id = f"ST_8b{self._next:06d}"
        self._next += 1
        self.items[template_id] = content
        return template_id


def render(content: str, params: Json) -> str:
    """The text with its fields filled; a field that was not given stays as it is."""
    return _FIELD.sub(lambda m: str(params.get(m.group(1), m.group(0))), content)


def _account(params: Json) -> None:
    if not params.get("sms_account"):
        raise missing(5, "sms_account 不能为空")
    if params["sms_account"] != ACCOUNT:
        raise invalid(5, "sms_account 不存在")


def _target(sim: Sim, tel: str) -> tuple[Order | None, str, str]:
    """Order, phone and mask that a cipher or plain number stands for."""
    if tel.startswith(("$", "#")):
        found = sim.vault.find(tel)
        if found is None:
            # A world that lives its journal again was never asked for the order: reads are not kept.
            for order in sim.world.orders.values():
                sim.vault.receiver(order)
            found = sim.vault.find(tel)
        if found is None or found.kind != PHONE:
            raise failed(628002001, "手机号密文解密失败")
        return sim.world.orders.get(found.order_id), found.plain, found.mask
    theirs = next((o for o in reversed(sim.world.orders.values()) if o.buyer.phone == tel), None)
    return theirs, tel, f"{tel[:3]}****{tel[-4:]}"


def send(sim: Sim, params: Json) -> Json:
    """``sms.send``. What can't be sent for the account's own reasons answers with ``data.code`` other than 0."""
    _account(params)
    for name in ("sign", "template_id", "template_param", "post_tel"):
        if not params.get(name):
            raise missing(5, f"{name} 不能为空")
    try:
        fields = json.loads(params["template_param"])
    except ValueError:
        raise invalid(5, "template_param 不是 JSON") from None
    order, phone, mask = _target(sim, str(params["post_tel"]))
    if params["sign"] != SIGN:
        return {"code": 3, "message": "签名不存在或未通过审核", "message_id": ""}
    content = sim.templates.items.get(params["template_id"])
    if content is None:
        return {"code": 7, "message": "模板不存在或未通过审核", "message_id": ""}
    now = sim.clock.now()
    message_id = str(sim.world.new_id("sms", 74))
    rng = sim.world.rng(f"sms:{message_id}")
    sms = Sms(
        message_id,
        order.order_id if order else "",
        phone,
        mask,
        SIGN,
        params["template_id"],
        params["template_param"],
        f"【{SIGN}】" + render(content, fields if isinstance(fields, dict) else {}),
        now,
        now + rng.randint(4, 50),
        rng.random() > 0.02,
        str(params.get("tag") or ""),
    )
    sim.world.sms.append(sms)
    if order is not None and sms.ok:
        sim.customers.text_message(order, sms)
    return {"code": 0, "message": "success", "message_id": message_id}


def batch_send(sim: Sim, params: Json) -> Json:
    """``sms.batchSend``: each message on its own."""
    results = []
    for item in params.get("sms_message_list") or []:
        try:
            results.append(send(sim, {**params, **item}))
        except Refusal as refusal:
            results.append({"code": 5, "message": refusal.sub_msg, "message_id": ""})
    return {"send_result_list": results}


def send_result(sim: Sim, params: Json) -> Json:
    """``sms.sendResult``: receipts of a time window. Status 1 no receipt yet, 2 failed, 3 delivered."""
    _account(params)
    first, last = params.get("from_time"), params.get("to_time")
    if not isinstance(first, int) or not isinstance(last, int):
        raise missing(5, "from_time、to_time 不能为空")
    now = sim.clock.now()
    rows = []
    for sms in sim.world.sms:
        status = 1 if sms.receipt_at > now else 3 if sms.ok else 2
        if not first <= sms.at <= last or params.get("message_id") not in {None, "", sms.message_id}:
            continue
        if params.get("status") not in {None, 0, status}:
            continue
        rows.append(
            {
                "send_time": sms.at,
                "sms_content": sms.content,
                "status": status,
                "count": 1 + len(sms.content) // 67,
                "code": "" if status != 2 else "UNDELIV",
                "message": {1: "", 2: "用户手机关机或停机", 3: "发送成功"}[status],
                "message_id": sms.message_id,
                "tag": sms.tag,
            }
        )
    page, size = int(params.get("page") or 0), int(params.get("size") or 10)
    return {"total": len(rows), "sms_send_result_list": rows[page * size : (page + 1) * size]}


def template_apply(sim: Sim, params: Json) -> Json:
    """``sms.template.apply``."""
    _account(params)
    content = str(params.get("template_content") or "")
    if not content:
        raise missing(5, "template_content 不能为空")
    if "【" in content or "】" in content:
        raise invalid(7, "模板内容不能包含【】")
    return {"code": 0, "message": "success", "sms_template_apply_id": sim.templates.apply(content)}


def template_search(sim: Sim, params: Json) -> Json:
    """``sms.template.search``."""
    _account(params)
    rows = [
        {"template_id": key, "template_name": key, "template_content": text, "template_type": "CN_NTC", "status": 3}
        for key, text in sim.templates.items.items()
    ]
    return {"total": len(rows), "template_search_list": rows}
