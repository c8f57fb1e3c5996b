"""Tokens: one pair until the last hour, an hour's overlap, and refusals."""

from __future__ import annotations

import pytest

from simulator.doudian.errors import Refusal
from simulator.doudian.tokens import Tokens

SELF = {"grant_type": "authorization_self", "shop_id": "40391623", "code": ""}


class Wall:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def tokens(wall: Wall) -> Tokens:
    return Tokens(40391623, "店", 1, wall)


def refused(call: object, *args: object) -> tuple[int, str]:
    with pytest.raises(Refusal) as found:
        call(*args)  # type: ignore[operator]
    return found.value.code, found.value.sub_code


def test_create_gives_a_week_and_the_same_pair_again(tokens: Tokens) -> None:
    first = tokens.create(SELF)
    assert (first["expires_in"], first["shop_id"]) == (604800, "40391623")
    assert tokens.create(SELF)["access_token"] == first["access_token"]


def test_refresh_keeps_the_pair_until_the_last_hour(tokens: Tokens, wall: Wall) -> None:
    first = tokens.create(SELF)
    wall.now += 604800 - 3601
    same = tokens.refresh({"refresh_token": first["refresh_token"]})
    assert (same["access_token"], same["expires_in"]) == (first["access_token"], 3601)
    wall.now += 2
    new = tokens.refresh({"refresh_token": first["refresh_token"]})
    assert new["access_token"] != first["access_token"]
    tokens.check(first["access_token"])
    wall.now += 3599
    tokens.check(first["access_token"])
    wall.now += 2
    assert refused(tokens.check, first["access_token"]) == (40003, "isv.access-token-expired")
    tokens.check(new["access_token"])


def test_refresh_after_expiry_kills_the_old_pair(tokens: Tokens, wall: Wall) -> None:
    first = tokens.create(SELF)
    wall.now += 604801
    assert refused(tokens.check, first["access_token"]) == (40003, "isv.access-token-expired")
    new = tokens.refresh({"refresh_token": first["refresh_token"]})
    tokens.check(new["access_token"])
    assert refused(tokens.check, first["access_token"])[0] == 40003
    assert refused(tokens.refresh, {"refresh_token": first["refresh_token"]}) == (50002, "isv.business-failed:31009")


def test_refresh_token_dies_after_two_weeks(tokens: Tokens, wall: Wall) -> None:
    first = tokens.create(SELF)
    wall.now += 1_209_601
    assert refused(tokens.refresh, {"refresh_token": first["refresh_token"]})[1] == "isv.business-failed:31009"


def test_concurrent_refresh_is_told_to_come_again(tokens: Tokens) -> None:
    first = tokens.create(SELF)
    tokens.age("busy")
    assert refused(tokens.refresh, {"refresh_token": first["refresh_token"]})[1] == "isv.business-failed:31012"
    assert tokens.refresh({"refresh_token": first["refresh_token"]})["access_token"] == first["access_token"]


def test_codes_serve_once_and_ten_minutes(tokens: Tokens, wall: Wall) -> None:
    grant = {"grant_type": "authorization_code", "code": tokens.code()}
    late = {"grant_type": "authorization_code", "code": tokens.code()}
    tokens.create(grant)
    assert refused(tokens.create, grant) == (50001, "dop.token-generate-failed:code-invalid")
    wall.now += 601
    assert refused(tokens.create, late) == (50001, "dop.token-generate-failed:code-expired")


def test_wrong_shop_and_wrong_grant(tokens: Tokens) -> None:
    assert refused(tokens.create, {**SELF, "shop_id": "1"})[1] == "dop.token-generate-failed:no-authorization"
    assert refused(tokens.create, {"grant_type": "x"})[1] == "dop.token-generate-failed:grant-type-invalid"
    assert refused(tokens.check, "") == (40001, "isv.access-token-missing")
    assert refused(tokens.check, "nope") == (40003, "isv.access-token-no-existed")
