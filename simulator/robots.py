"""Robots of chat groups: strict doors of WeCom, DingTalk and Feishu. They always answer HTTP 200; the body says no.

Written from the vendors' pages, by nobody who has seen the client: signature, clock, pace and length are checked here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from simulator.state import Json

SKEW_S = 3600
SERVICES = ("wecom", "dingtalk", "feishu")


@dataclass
class Robot:
    """One robot. ``keyword``: it takes only texts that hold it, where one is set."""

    token: str
    secret: str = ""
    keyword: str = ""
    said: list[str] = field(default_factory=list)
    recent: deque[float] = field(default_factory=deque)
    blocked_until: float = 0.0


class Robots:
    """All robots of one world, by vendor and token."""

    def __init__(self, seed: int, wall: Callable[[], float]) -> None:
        rng = Random(f"{seed}:robots")

        def word(length: int) -> str:
            return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(length))

        self._wall = wall
        self.wecom = {token: Robot(token) for token in (word(36),)}
        self.dingtalk = {token: Robot(token, f"SEC{word(40)}") for token in (word(64),)}
        self.feishu = {token: Robot(token, word(22)) for token in (word(36),)}

    def hello(self, base: str) -> Json:
        """What a shop gets to copy from each vendor's page."""
        wecom, dingtalk, feishu = (next(iter(kind.values())) for kind in (self.wecom, self.dingtalk, self.feishu))
        return {
            "base_url": base,
            "wecom": {"address": f"{base}/wecom/cgi-bin/webhook/send?key={wecom.token}", "secret": ""},
            "dingtalk": {
                "address": f"{base}/dingtalk/robot/send?access_token={dingtalk.token}",
                "secret": dingtalk.secret,
            },
            "feishu": {"address": f"{base}/feishu/open-apis/bot/v2/hook/{feishu.token}", "secret": feishu.secret},
        }

    def said(self) -> Json:
        """Everything that was said in each group, in order."""
        return {
            service: [text for robot in getattr(self, service).values() for text in robot.said] for service in SERVICES
        }

    def call(self, service: str, path: str, query: dict[str, str], raw: bytes, facts: Json) -> Json:
        answer: Json = getattr(self, f"_{service}")(path, query, raw, facts)
        facts["outcome"] = answer.get("errcode", answer.get("code"))
        return answer

    # --- WeCom

    def _wecom(self, path: str, query: dict[str, str], raw: bytes, facts: Json) -> Json:
        def no(code: int, text: str) -> Json:
            return {"errcode": code, "errmsg": text}

        robot = self.wecom.get(query.get("key", ""))
        if path != "cgi-bin/webhook/send" or robot is None:
            return no(93000, "invalid webhook url, hint: [1]")
        body = _object(raw)
        text = _text_of(body, "msgtype", "text", "content")
        if text is None:
            return no(40008, "invalid message type")
        if not text:
            return no(44004, "empty content")
        if len(text.encode()) > 2048:
            return no(45002, "content size out of limit")
        if not self._in_time(robot, 20, 60.0):
            return no(45009, "api freq out of limit")
        return self._take(robot, text, facts) | no(0, "ok")

    # --- DingTalk

    def _dingtalk(self, path: str, query: dict[str, str], raw: bytes, facts: Json) -> Json:
        def no(code: int, text: str) -> Json:
            return {"errcode": code, "errmsg": text}

        robot = self.dingtalk.get(query.get("access_token", ""))
        if path != "robot/send" or robot is None:
            return no(300005, "token is not exist")
        now = self._wall()
        if now < robot.blocked_until:
            return no(130101, "send too fast, exceed 20 times per minute")
        if robot.secret:
            stamp = query.get("timestamp", "")
            if not stamp.isdigit() or abs(int(stamp) / 1000 - now) > SKEW_S:
                return no(310000, "invalid timestamp")
            told = f"{stamp}\n{robot.secret}".encode()
            wanted = base64.b64encode(hmac.digest(robot.secret.encode(), told, "sha256")).decode()
            if not hmac.compare_digest(wanted, query.get("sign", "")):
                return no(310000, "sign not match")
        text = _text_of(_object(raw), "msgtype", "text", "content")
        if text is None:
            return no(400105, "unsupported msgtype")
        if not text or len(raw) > 20_000:
            return no(430101, "bad content")
        if not self._in_time(robot, 20, 600.0):
            return no(130101, "send too fast, exceed 20 times per minute")
        return self._take(robot, text, facts) | no(0, "ok")

    # --- Feishu

    def _feishu(self, path: str, query: dict[str, str], raw: bytes, facts: Json) -> Json:
        def no(code: int, text: str) -> Json:
            return {"code": code, "data": {}, "msg": text}

        robot = self.feishu.get(path.removeprefix("open-apis/bot/v2/hook/"))
        if robot is None:
            return no(19001, "param invalid: incoming webhook access token invalid")
        body = _object(raw)
        if robot.secret:
            stamp = str(body.get("timestamp", ""))
            if not stamp.isdigit() or abs(int(stamp) - self._wall()) > SKEW_S:
                return no(19021, "sign match fail or timestamp is not within one hour from current time")
            wanted = base64.b64encode(hmac.digest(f"{stamp}\n{robot.secret}".encode(), b"", hashlib.sha256)).decode()
            if not hmac.compare_digest(wanted, str(body.get("sign", ""))):
                return no(19021, "sign match fail or timestamp is not within one hour from current time")
        text = _text_of(body, "msg_type", "content", "text")
        if not text or len(raw) > 20 * 1024:
            return no(9499, "Bad Request")
        if robot.keyword and robot.keyword not in text:
            return no(19024, "Key Words Not Found")
        if sum(self._wall() - at < 1.0 for at in robot.recent) >= 5 or not self._in_time(robot, 100, 60.0):
            return no(11232, "frequency limited psm[lark.oapi.app_platform_runtime]")
        self._take(robot, text, facts)
        return {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}

    # --- shared

    def _in_time(self, robot: Robot, most: int, shut_out: float) -> bool:
        now = self._wall()
        while robot.recent and now - robot.recent[0] >= 60:
            robot.recent.popleft()
        if now < robot.blocked_until:
            return False
        if len(robot.recent) >= most:
            robot.blocked_until = now + shut_out
            return False
        return True

    def _take(self, robot: Robot, text: str, facts: Json) -> Json:
        robot.recent.append(self._wall())
        robot.said.append(text)
        facts["said"] = text
        return {}


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _text_of(body: dict[str, Any], kind: str, outer: str, inner: str) -> str | None:
    if body.get(kind) != "text":
        return None
    held = body.get(outer)
    text = held.get(inner) if isinstance(held, dict) else None
    return text if isinstance(text, str) else ""
