"""The life of tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bufa.integrations.platforms.doudian.gateway import Gateway
from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.platforms.doudian.tokens import authorize_url, needs_refresh, tokens_of
from bufa.integrations.ports import ProviderError
from tests.integrations.support import NOW, Keeper, Wire, ok, refusal, tokens

OWN = Settings("7012345678901234567", "secret", shop_id="40391623", base_url="http://gateway.test")
TOOL = Settings("7012345678901234567", "secret", app_kind="tool", service_id="11", base_url="http://gateway.test")
FRESH = {
    "access_token": "access-2",
    "refresh_token": "refresh-2",
    "expires_in": 604800,
    "shop_id": "40391623",
    "shop_name": "晴天小铺",
}


def source(wire: Wire, keeper: Keeper, settings: Settings = OWN):
    return Gateway(settings, keeper, wire.client, lambda: NOW).tokens


@pytest.mark.parametrize(("left", "due"), [(3601, False), (3600, True), (1, True), (-5, True)])
def test_a_token_is_refreshed_in_its_last_hour(left, due):
    assert needs_refresh(tokens(lasts=timedelta(seconds=left)), NOW) is due


def test_an_own_app_makes_its_first_tokens_by_the_shop():
    wire, keeper = Wire(ok(FRESH)), Keeper()
    made = source(wire, keeper).good()
    assert wire.json() == {"code": "", "grant_type": "authorization_self", "shop_id": "40391623"}
    assert wire.requests[0].url.path == "/token/create"
    assert (made.access, made.expires_at, made.shop_name) == ("access-2", NOW + timedelta(days=7), "晴天小铺")
    assert keeper.tokens == made


def test_a_tool_app_without_consent_says_so_and_calls_nobody():
    wire = Wire()
    with pytest.raises(ProviderError) as caught:
        source(wire, Keeper(), TOOL).good()
    assert caught.value.why == "token"
    assert wire.requests == []


def test_the_code_of_a_consent_becomes_tokens():
    wire, keeper = Wire(ok(FRESH)), Keeper(tokens("old"))
    source(wire, keeper, TOOL).by_code("c0de")
    assert wire.json() == {"code": "c0de", "grant_type": "authorization_code"}
    assert keeper.tokens is not None
    assert keeper.tokens.access == "access-2"


def test_a_code_older_than_ten_minutes_is_named():
    wire = Wire(refusal(50001, "dop.token-generate-failed:code-expired"))
    with pytest.raises(ProviderError) as caught:
        source(wire, Keeper(), TOOL).by_code("c0de")
    assert (caught.value.why, caught.value.unknown) == ("code_expired", False)


def test_the_address_of_consent():
    assert authorize_url(TOOL, "a b&c") == "https://fuwu.jinritemai.com/authorize?service_id=11&state=a+b%26c"


def test_a_refresh_that_meets_another_is_called_again():
    busy = refusal(50002, "isv.business-failed:31012")
    wire, keeper = Wire(busy, busy, ok(FRESH)), Keeper(tokens(lasts=timedelta(minutes=-1)))
    assert source(wire, keeper).good().access == "access-2"
    assert wire.json(2) == {"grant_type": "refresh_token", "refresh_token": "refresh-of-access-1"}


def test_a_refresh_that_fails_leaves_a_living_token_in_use():
    old = tokens(lasts=timedelta(minutes=30))
    wire, keeper = Wire(refusal(20000, "dop.service-error")), Keeper(old)
    assert source(wire, keeper).good() == old


def test_a_lost_refresh_token_is_made_anew_by_an_own_app_only():
    lost = refusal(50002, "isv.business-failed:31009")
    dead = tokens(lasts=timedelta(days=-8))
    assert source(Wire(lost, ok(FRESH)), Keeper(dead)).good().access == "access-2"
    with pytest.raises(ProviderError) as caught:
        source(Wire(lost), Keeper(dead), TOOL).good()
    assert caught.value.why == "token"


def test_what_another_worker_renewed_is_taken_not_renewed_again():
    class Renewed(Keeper):
        """Between our look and our lock, another worker renewed."""

        def renew(self, seen, fetch, *, wait=True):
            self.tokens = tokens("access-9")
            return super().renew(seen, fetch)

    wire, keeper = Wire(), Renewed(tokens(lasts=timedelta(minutes=5)))
    assert source(wire, keeper).good().access == "access-9"
    assert (wire.requests, keeper.renewals) == ([], 0)


def test_an_expiry_that_is_an_instant_is_read_as_one():
    assert tokens_of(FRESH | {"expires_in": 1_772_500_000}, NOW).expires_at == datetime.fromtimestamp(
        1_772_500_000, UTC
    )


def test_an_answer_without_a_token_is_malformed():
    with pytest.raises(ProviderError, match="malformed"):
        tokens_of({"access_token": ""}, NOW)
