"""What the vendors of messages share: an account, approved templates, phones and how they fare, receipts and replies.

Receipts come some seconds later, by push to the account's address and by asking; both can be switched off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from simulator.clock import DAY, HOUR, Wall, beijing, iso, midnight
from simulator.outbound import Outbox, Post
from simulator.state import Json
from simulator.world import World

SERVICES = ("aliyun_sms", "aliyun_voice", "tencent_sms")
SIGN = "青禾鲜果"
AGAIN = (60, 300, 600)
"""Seconds after which a push that was not thanked for comes again; then never."""
_NAMED, _COUNTED = re.compile(r"\$\{(\w+)\}"), re.compile(r"\{(\d+)\}")
PHONE = re.compile(r"1[3-9]\d{9}")


class Failed(Exception):
    """A refusal: the vendor's code and words, and the HTTP status that carries it."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass
class Template:
    service: str
    text: str
    state: str = "approved"

    @property
    def fields(self) -> list[str]:
        return (_COUNTED if self.service == "tencent_sms" else _NAMED).findall(self.text)


@dataclass
class Told:
    """One message that was taken. `fate`: delivered or failed, known from `receipt_at` on."""

    service: str
    message_id: str
    tag: str
    phone: str
    template: str
    text: str
    at: int
    receipt_at: int
    fate: str
    code: str

    def shown(self) -> Json:
        return {**vars(self), "at": iso(self.at), "receipt_at": iso(self.receipt_at)}


@dataclass
class Service:
    """One vendor's account. `receipts`: `usual`, `asked` (never pushed), `never`. `limits`: messages to one phone in
    the natural minute, hour and day of Beijing, 0 for as many as you like; `again`: seconds between equal messages."""

    key_id: str
    secret: str
    limits: dict[str, int]
    again: int = 0
    url: str = ""
    receipts: str = "usual"
    credit: int = 1_000_000
    nonces: dict[str, float] = field(default_factory=dict)


class CloudDesk:
    """All accounts of the shop at such vendors."""

    def __init__(self, world: World, outbox: Outbox, wall: Wall, seed: int) -> None:
        self.world, self.outbox, self.wall = world, outbox, wall
        self.told: list[Told] = []
        self.blacklist: set[str] = set()
        self.failing: dict[str, str] = {}  # phone -> the carrier's code
        self.pushed = 0
        rng = Random(f"{seed}:clouds")
        made = {name: (f"{rng.getrandbits(64):016x}", f"{rng.getrandbits(120):030x}") for name in SERVICES}
        self.services = {
            "aliyun_sms": Service(f"LTAI{made['aliyun_sms'][0]}", made["aliyun_sms"][1], {"day": 50}),
            "aliyun_voice": Service(
                f"LTAI{made['aliyun_voice'][0]}", made["aliyun_voice"][1], {"minute": 1, "hour": 5, "day": 20}
            ),
            "tencent_sms": Service(f"AKID{made['tencent_sms'][0]}", made["tencent_sms"][1], {"day": 2}, again=30),
        }
        self.app_id = f"14{rng.randrange(10**8):08d}"
        self.templates: dict[str, Template] = {}
        for number, text in enumerate(_TEXTS, 1):
            self.templates[f"SMS_{4_600_000 + number}"] = Template("aliyun_sms", text)
            self.templates[f"TTS_{3_100_000 + number}"] = Template("aliyun_voice", text)
            count = iter(range(1, 20))
            self.templates[str(2_400_000 + number)] = Template(
                "tencent_sms",
                _NAMED.sub(lambda _: f"{{{next(count)}}}", text),  # noqa: B023 used before the loop goes on
            )

    def template(self, service: str, template_id: str) -> Template | None:
        found = self.templates.get(template_id)
        return found if found is not None and found.service == service and found.state == "approved" else None

    def fill(self, template: Template, values: dict[str, str]) -> str:
        """The text with its fields filled. Raises KeyError for a field without a value."""
        pattern = _COUNTED if template.service == "tencent_sms" else _NAMED
        return pattern.sub(lambda match: values[match[1]], template.text)

    def within(self, service: str, phone: str) -> str:
        """The window whose share this phone has had ("" for none), by what was taken, whatever became of it."""
        now, limits = self.world.clock.now(), self.services[service].limits
        begins = {"minute": now - now % 60, "hour": midnight(now) + beijing(now).hour * HOUR, "day": now - DAY + 1}
        if service == "tencent_sms":
            begins["day"] = midnight(now)
        mine = [told.at for told in self.told if told.service == service and told.phone == phone]
        for window, most in limits.items():
            if most and sum(at >= begins[window] for at in mine) >= most:
                return window
        return ""

    def same_lately(self, service: str, phone: str, text: str) -> bool:
        gap = self.services[service].again
        since = self.world.clock.now() - gap
        return bool(gap) and any(
            told.service == service and told.phone == phone and told.text == text and told.at > since
            for told in self.told
        )

    def take(self, service: str, phone: str, tag: str, template: str, text: str, message_id: str) -> Told:
        """The message is taken; its receipt follows."""
        now = self.world.clock.now()
        rng = self.world.rng(f"{service}:{message_id}")
        code = self.failing.get(phone, "")
        told = Told(
            service, message_id, tag, phone, template, text, now, now + rng.randint(4, 50),
            "failed" if code else "delivered", code,
        )  # fmt: skip
        self.told.append(told)
        self.services[service].credit -= 1
        self.world.line.at(told.receipt_at, lambda: self._receipt(told))
        return told

    def known(self, service: str, phone: str = "") -> list[Told]:
        """What may be asked about."""
        if self.services[service].receipts == "never":
            return []
        return [told for told in self.told if told.service == service and phone in {"", told.phone}]

    def _receipt(self, told: Told) -> None:
        if self.services[told.service].receipts == "usual":
            self.push(told.service, _REPORTS[told.service](told))

    def reply(self, service: str, phone: str, text: str) -> None:
        """Somebody writes back."""
        now = self.world.clock.now()
        number = self.world.count(f"{service}:reply")
        if service == "tencent_sms":
            row: Any = {"extend": "", "mobile": phone, "nationcode": "86", "sign": SIGN, "text": text, "time": now}
        else:
            row = [
                {"phone_number": phone, "send_time": _china(now), "content": text, "sign_name": SIGN,
                 "dest_code": "10690", "sequence_id": number}
            ]  # fmt: skip
        self.push(service, row)

    def push(self, service: str, rows: Any, attempt: int = 0) -> None:
        """Send to the account's address; again after 1, 5 and 10 minutes when nobody thanks."""
        url = self.services[service].url
        if not url:
            return
        self.pushed += 1
        body = json.dumps(rows, ensure_ascii=False).encode()

        def after(ok: bool) -> None:
            if not ok and attempt < len(AGAIN):
                self.world.line.after(AGAIN[attempt], lambda: self.push(service, rows, attempt + 1))

        self.outbox.add(Post(service, url, body, {"content-type": "application/json"}, thanked, after))


def thanked(response: httpx.Response) -> bool:
    if response.status_code != 200:
        return False
    told = response.json()
    return bool(told.get("code") == 0 or told.get("result") == 0)


def _china(at: int) -> str:
    return beijing(at).strftime("%Y-%m-%d %H:%M:%S")


def segments(text: str) -> int:
    size = len(text.encode("utf-16-be")) // 2
    return 1 if size <= 70 else -(-size // 67)


def _sms_report(told: Told) -> Json | list[Json]:
    ok = told.fate == "delivered"
    return [
        {
            "phone_number": told.phone, "send_time": _china(told.at), "report_time": _china(told.receipt_at),
            "success": ok, "err_code": "DELIVERED" if ok else told.code, "err_msg": "用户接收成功" if ok else "未送达",
            "sms_size": str(segments(told.text)), "biz_id": told.message_id, "out_id": told.tag,
        }
    ]  # fmt: skip


def _voice_report(told: Told) -> Json | list[Json]:
    ok = told.fate == "delivered"
    return [
        {
            "call_id": told.message_id, "start_time": _china(told.at), "end_time": _china(told.receipt_at),
            "duration": "21" if ok else "0", "status_code": "200000" if ok else told.code,
            "status_msg": "用户接听" if ok else "未接听", "hangup_direction": "1", "out_id": told.tag,
            "dtmf": "", "voice_type": "CALL_TTS",
        }
    ]  # fmt: skip


def _tencent_report(told: Told) -> Json | list[Json]:
    ok = told.fate == "delivered"
    return [
        {
            "user_receive_time": _china(told.receipt_at), "nationcode": "86", "mobile": told.phone,
            "report_status": "SUCCESS" if ok else "FAIL", "errmsg": "DELIVRD" if ok else told.code,
            "description": "用户短信送达成功" if ok else "用户不在服务区或关机", "sid": told.message_id,
        }
    ]  # fmt: skip


_REPORTS: dict[str, Callable[[Told], Any]] = {
    "aliyun_sms": _sms_report,
    "aliyun_voice": _voice_report,
    "tencent_sms": _tencent_report,
}

_TEXTS = (
    (
        "您尾号${order_tail}的订单因${reason}，已为您${measure}，补发单号${reissue}："
        "${carrier} ${number}，预计${eta}送达，非常抱歉。"
    ),
    "您尾号${order_tail}的订单因${reason}，我们想为您补寄。请打开订单，点“申请售后”，选“补寄”并提交，我们收到后立即发出。",
    "您尾号${order_tail}的订单物流出现异常：${reason}。我们正在催办快递核实，会尽快告诉您结果。给您添麻烦了，非常抱歉。",
    "您尾号${order_tail}的订单因${reason}未能按时送达，非常抱歉。我们正在为您处理，有进展第一时间通知您。",
)
