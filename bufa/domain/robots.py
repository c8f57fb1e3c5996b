"""Group robots: what their pasted address says, and how fast they may speak."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from bufa.domain.outcome import Refused

MINUTE_S = 60.0
MARGIN_S = 1.0
"""The vendors count by their clock: of each window a second is left."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`per_second` 0: the vendor names none."""

    per_minute: int
    per_second: int = 0


def wait(recent: Sequence[float], now: float, pace: Pace) -> float:
    """Seconds until one more message is within the limits; 0 for now. `recent`: when the last ones left, epoch."""
    waits = [0.0]
    for most, within in ((pace.per_minute, MINUTE_S + MARGIN_S), (pace.per_second, 1.0 + MARGIN_S / 10)):
        inside = sorted(at for at in recent if now - within < at <= now)
        if most and len(inside) >= most:
            waits.append(inside[-most] + within - now)
    return max(waits)


@dataclass(frozen=True, slots=True)
class Address:
    """A robot's address taken apart. `base_url`: a simulator's, "" for the vendor's own host."""

    kind: str
    token: str
    base_url: str = ""


_HOSTS = {
    "qyapi.weixin.qq.com": "wecom",
    "oapi.dingtalk.com": "dingtalk",
    "open.feishu.cn": "feishu",
}
_PATHS = {
    "wecom": re.compile(r"^/cgi-bin/webhook/send$"),
    "dingtalk": re.compile(r"^/robot/send$"),
    "feishu": re.compile(r"^/open-apis/bot/v2/hook/([A-Za-z0-9_-]{8,80})$"),
}
_TOKEN = re.compile(r"^[A-Za-z0-9_-]{8,128}$")


def read_address(pasted: str, simulator: str = "") -> Address:
    """What the vendor's page gives to copy. Only the vendors' own hosts by https, and `simulator` (an address of this
    machine) where it is set. Raises Refused: robot_address, robot_host (host)."""
    text = pasted.strip()
    base = simulator.rstrip("/")
    if base and text.startswith(base + "/"):
        kind, _, rest = text.removeprefix(base + "/").partition("/")
        return _taken(kind, "/" + rest, f"{base}/{kind}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Refused("robot_address") from None
    host = (parts.hostname or "").lower()
    if not host:
        raise Refused("robot_address")
    if host not in _HOSTS or parts.scheme != "https" or port not in (None, 443) or parts.username or parts.password:
        raise Refused("robot_host", host=host[:80])
    return _taken(_HOSTS[host], f"{parts.path}?{parts.query}", "")


def _taken(kind: str, rest: str, base_url: str) -> Address:
    path, _, query = rest.partition("?")
    found = _PATHS[kind].match(path) if kind in _PATHS else None
    if found is None:
        raise Refused("robot_address")
    if kind == "feishu":
        return Address(kind, found[1], base_url)
    token = parse_qs(query).get("key" if kind == "wecom" else "access_token", [""])[0]
    if not _TOKEN.match(token):
        raise Refused("robot_address")
    return Address(kind, token, base_url)
