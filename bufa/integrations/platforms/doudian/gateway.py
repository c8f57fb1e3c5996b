"""One call of Doudian's gateway: signed, posted, its envelope opened, its error classed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from bufa.integrations import wire
from bufa.integrations.platforms.doudian import errors, signing
from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.platforms.doudian.tokens import TokenSource
from bufa.integrations.ports import ProviderError, TokenKeeper
from bufa.lib.clock import real_now

_HEADERS = {"content-type": "application/json;charset=utf-8", "x-open-no-old-err-code": "1"}
# A changing call that had to renew its token is not sent after this: its lease would run out while it is under way.
_LATEST_START_S = 8.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: `data` is an object or (for a few methods) a list."""

    data: Any
    log_id: str
    raw: bytes


class Gateway:
    """Speaks for one shop."""

    def __init__(
        self, settings: Settings, keeper: TokenKeeper, http: httpx.Client, wall: Callable[[], datetime] = real_now
    ) -> None:
        self.settings = settings
        self._http = http
        self._wall = wall
        self.tokens = TokenSource(settings, keeper, self._token_call, wall)

    def call(self, method: str, params: Mapping[str, Any], *, changes: bool = False) -> Answer:
        """Call a method in the shop's name; a stale token is renewed once and the call sent again (it was refused
        before it did anything). Raises ProviderError."""
        started = time.monotonic()
        tokens = self.tokens.good()
        try:
            return self._post(method, params, access_token=tokens.access, changes=changes)
        except ProviderError as error:
            if error.sub_code not in errors.STALE_TOKEN:
                raise
        tokens = self.tokens.after_refusal(tokens)
        if changes and time.monotonic() - started > _LATEST_START_S:
            raise ProviderError("token", retryable=True, text="token renewed too late for this attempt")
        return self._post(method, params, access_token=tokens.access, changes=changes)

    def _token_call(self, method: str, params: Mapping[str, Any], changes: bool) -> Mapping[str, Any]:
        data = self._post(method, params, access_token=None, changes=changes).data
        return data if isinstance(data, dict) else {}

    def _post(self, method: str, params: Mapping[str, Any], *, access_token: str | None, changes: bool) -> Answer:
        try:
            param_json = signing.canonical(params)
            content = param_json.encode()
        except ValueError:
            raise ProviderError("input", text="parameters cannot be written as JSON") from None
        query = self._query(method, param_json)
        if access_token is not None:
            query["access_token"] = access_token
        url = f"{self.settings.base_url.rstrip('/')}/{method.replace('.', '/')}"
        body = wire.exchange(self._http, url, changes=changes, content=content, params=query, headers=_HEADERS)
        return opened(method, body, changes=changes)

    def _query(self, method: str, param_json: str) -> dict[str, str]:
        settings = self.settings
        timestamp = str(int(self._wall().timestamp()))
        return {
            "app_key": settings.app_key,
            "method": method,
            "timestamp": timestamp,
            "v": "2",
            "sign_method": settings.sign_method,
            "sign": signing.sign(
                app_key=settings.app_key,
                secret=settings.app_secret,
                method=method,
                param_json=param_json,
                timestamp=timestamp,
                sign_method=settings.sign_method,
            ),
        }


def opened(method: str, body: bytes, *, changes: bool) -> Answer:
    """Open the envelope `{code, msg, sub_code, sub_msg, log_id, data}`; the older `{err_no, message, data}` is read
    too. Raises ProviderError for everything but success."""
    answer = wire.answer_json(body, changes=changes)
    log_id = wire.text(answer.get("log_id"))
    code = wire.number(answer.get("code"), -1)
    if code == -1:
        old = wire.number(answer.get("err_no"), -1)
        code = errors.SUCCESS if old == 0 else old
    if code == errors.SUCCESS:
        return Answer(answer.get("data"), log_id, body)
    if code == -1:
        raise wire.broken("malformed", changes=changes, log_id=log_id, raw=body)
    said = wire.text(answer.get("sub_msg")) or wire.text(answer.get("msg")) or wire.text(answer.get("message"))
    sub_code = wire.text(answer.get("sub_code"))
    raise errors.error_of(method, code, sub_code, changes=changes, text=said, log_id=log_id, raw=body)
