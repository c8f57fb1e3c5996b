"""The life of a shop's tokens (doudian-openapi §1): create once, refresh in the last hour, never twice at once.

An access token lives 7 days, its refresh token 14. A refresh more than an hour before the end returns the same pair;
within the last hour it returns a new one and the old lives on for an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bufa.integrations.platforms.doudian.errors import CONCURRENT_REFRESH, REFRESH_TOKEN_GONE, number_of
from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.ports import ProviderError, TokenKeeper, Tokens
from bufa.integrations.wire import number, text

LAST_HOUR = timedelta(hours=1)
CODE_LIVES = timedelta(minutes=10)
_DURATION_LIMIT = 10**9  # a larger `expires_in` is an instant, not a duration
_ATTEMPTS_AT_ONCE = 3

TokenCall = Callable[[str, Mapping[str, Any], bool], Mapping[str, Any]]
"""(method, params, changes) → the answer's `data`; a call that carries no access token."""


def needs_refresh(tokens: Tokens, now: datetime) -> bool:
    """In its last hour (or past it) a token is refreshed; earlier a refresh would change nothing."""
    return tokens.expires_at - now <= LAST_HOUR


def tokens_of(data: Mapping[str, Any], now: datetime) -> Tokens:
    """Read an answer of token.create / token.refresh. Raises ProviderError("malformed") when no token is in it."""
    access, refresh = text(data.get("access_token")), text(data.get("refresh_token"))
    if not access or not refresh:
        raise ProviderError("malformed", text="no token in the answer")
    lasts = number(data.get("expires_in"))
    expires = datetime.fromtimestamp(lasts, UTC) if lasts > _DURATION_LIMIT else now + timedelta(seconds=max(lasts, 0))
    return Tokens(access, refresh, expires, text(data.get("shop_id")), text(data.get("shop_name")))


def authorize_url(settings: Settings, state: str) -> str:
    """Where the owner of a shop consents to a tool app; it comes back with `code` (10 minutes) and this `state`."""
    return f"{settings.authorize_base}?{urlencode({'service_id': settings.service_id, 'state': state})}"


class TokenSource:
    """Gives a token that is good now, renewing it through the keeper's lock."""

    def __init__(self, settings: Settings, keeper: TokenKeeper, call: TokenCall, wall: Callable[[], datetime]) -> None:
        self._settings = settings
        self._keeper = keeper
        self._call = call
        self._wall = wall

    def good(self) -> Tokens:
        """The shop's tokens, made or refreshed if need be. Raises ProviderError (`token`: a person must authorise)."""
        seen = self._keeper.current()
        if seen is not None and not needs_refresh(seen, self._wall()):
            return seen
        lives = seen is not None and self._wall() < seen.expires_at
        try:
            return self._keeper.renew(seen, self._fetch, wait=not lives)
        except ProviderError:
            if seen is not None and self._wall() < seen.expires_at:
                return seen  # it still works for a while; the next call tries again
            raise

    def after_refusal(self, seen: Tokens) -> Tokens:
        """The platform refused `seen`: what to try once more with."""
        return self._keeper.renew(seen, self._fetch)

    def by_code(self, code: str) -> Tokens:
        """Exchange the code of a consent. Raises ProviderError `code_expired`, `code_invalid`."""
        params = {"code": code, "grant_type": "authorization_code"}
        fresh = tokens_of(self._call("token.create", params, True), self._wall())
        return self._keeper.renew(self._keeper.current(), lambda stored: fresh)

    def _fetch(self, stored: Tokens | None) -> Tokens:
        if stored is None:
            return self._create()
        try:
            return self._refresh(stored)
        except ProviderError as error:
            dead = number_of(error.sub_code) == REFRESH_TOKEN_GONE or error.sub_code.endswith(
                (":token-expired", ":token-invalid")
            )
            if dead and self._settings.app_kind == "self":
                return self._create()
            if dead:
                raise ProviderError("token", sub_code=error.sub_code, text="authorise again") from None
            raise

    def _create(self) -> Tokens:
        if self._settings.app_kind != "self":
            raise ProviderError("token", text="not authorised yet")
        params = {"code": "", "grant_type": "authorization_self", "shop_id": self._settings.shop_id}
        return tokens_of(self._call("token.create", params, False), self._wall())

    def _refresh(self, stored: Tokens) -> Tokens:
        params = {"grant_type": "refresh_token", "refresh_token": stored.refresh}
        for last in range(_ATTEMPTS_AT_ONCE - 1, -1, -1):
            try:
                return tokens_of(self._call("token.refresh", params, False), self._wall())
            except ProviderError as error:
                # Somebody else (another system of the shop) refreshes now: the platform says "call again".
                if number_of(error.sub_code) != CONCURRENT_REFRESH or not last:
                    raise
        raise AssertionError("unreachable")
