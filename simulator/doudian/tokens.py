"""Access and refresh tokens. They live by the real clock, whatever the world's clock does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from simulator.doudian.errors import Refusal, bad_platform, failed, missing_platform, token_failed
from simulator.state import Json

ACCESS_LIFE = 604_800
REFRESH_LIFE = 1_209_600
OVERLAP = 3600
CODE_LIFE = 600


@dataclass
class Pair:
    access: str
    refresh: str
    expires_at: float
    refresh_until: float


class Tokens:
    """One shop's tokens. ``wall`` gives real seconds."""

    def __init__(self, shop_id: int, shop_name: str, seed: int = 1, wall: Callable[[], float] = time.time) -> None:
        self.shop_id = shop_id
        self.shop_name = shop_name
        self.wall = wall
        self._rng = Random(f"{seed}:tokens")
        self.pair: Pair | None = None
        self.old: Pair | None = None
        self.busy = 0
        self.under_way = 0  # refreshes being answered at this moment; a second one is refused
        self._codes: dict[str, float] = {}

    def code(self) -> str:
        """An authorisation code: good for ten minutes and for one use."""
        code = f"{self._rng.getrandbits(128):032x}"
        self._codes[code] = self.wall() + CODE_LIFE
        return code

    def create(self, params: Json) -> Json:
        """``token.create`` for a self-use app or with a code."""
        grant = params.get("grant_type")
        if grant == "authorization_self":
            if str(params.get("test_shop") or "") != "1" and str(params.get("shop_id") or "") != str(self.shop_id):
                raise token_failed("no-authorization", "店铺未授权该应用")
        elif grant == "authorization_code":
            until = self._codes.pop(str(params.get("code") or ""), None)
            if until is None:
                raise token_failed("code-invalid", "授权码不存在或已使用")
            if until < self.wall():
                raise token_failed("code-expired", "授权码已过期")
        else:
            raise token_failed("grant-type-invalid", "grant_type 非法")
        if self.pair is None or self.pair.expires_at - self.wall() <= OVERLAP:
            self._renew()
        return self._answer()

    def refresh(self, params: Json) -> Json:
        """``token.refresh``: the same pair until the last hour, then a new one with an hour's overlap."""
        if self.busy > 0 or self.under_way > 1:
            self.busy = max(self.busy - 1, 0)
            raise failed(31012, "token 正在刷新，请稍后重试")
        given, now = str(params.get("refresh_token") or ""), self.wall()
        overlapping = self.old is not None and given == self.old.refresh and now < self.old.expires_at
        if self.pair is not None and overlapping:
            return self._answer()
        if self.pair is None or given != self.pair.refresh or self.pair.refresh_until < now:
            raise failed(31009, "refresh_token 不存在或已失效")
        if self.pair.expires_at - now <= OVERLAP:
            self._renew()
        return self._answer()

    def check(self, access: str) -> None:
        """Raises the platform's refusal when a call's token does not hold."""
        if not access:
            raise missing_platform("access-token-missing", "access_token 缺失")
        now = self.wall()
        for pair in (self.pair, self.old):
            if pair is not None and access == pair.access:
                if now >= pair.expires_at:
                    raise bad_platform("access-token-expired", "access_token 已过期")
                return
        raise bad_platform("access-token-no-existed", "access_token 不存在")

    def age(self, state: str) -> None:
        """Make the pair old for a trial: ``last_hour``, ``access`` (expired), ``refresh`` (both), or ``busy``."""
        if state == "busy":
            self.busy += 1
            return
        if self.pair is None:
            return
        now = self.wall()
        if state == "last_hour":
            self.pair.expires_at = now + OVERLAP / 2
        elif state in {"access", "refresh"}:
            self.pair.expires_at = now - 1
            if state == "refresh":
                self.pair.refresh_until = now - 1
        else:
            raise ValueError(f"unknown state {state}")

    def _token(self) -> str:
        return f"{self._rng.getrandbits(160):040x}"

    def _renew(self) -> None:
        now = self.wall()
        self.old = self.pair
        if self.old is not None and self.old.expires_at > now:
            self.old.expires_at = now + OVERLAP
        self.pair = Pair(self._token(), self._token(), now + ACCESS_LIFE, now + REFRESH_LIFE)

    def _answer(self) -> Json:
        pair = self.pair
        if pair is None:
            raise Refusal(20000, "系统错误", "isp.service-error:0")
        return {
            "access_token": pair.access,
            "expires_in": int(pair.expires_at - self.wall()),
            "refresh_token": pair.refresh,
            "scope": "SCOPE",
            "shop_id": str(self.shop_id),
            "shop_name": self.shop_name,
            "authority_id": "",
            "auth_subject_type": "",
        }
