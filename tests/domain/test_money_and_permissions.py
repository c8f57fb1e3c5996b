"""Rounding money, and who may do what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain import money
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import TABLE, Permission, check, may, roles_with


@pytest.mark.parametrize(
    ("amount", "percent", "fen"),
    [(4_900, 1, 300), (15_000, 1, 300), (34_999, 1, 300), (35_000, 1, 400), (44_999, 1, 400), (9_999_999, 1, 3000)],
)
def test_per_cent_in_whole_yuan_half_up(amount: int, percent: int, fen: int) -> None:
    assert money.percent_in_whole_yuan(amount, percent, min_fen=300, max_fen=3000) == fen


@given(st.integers(0, 10**12))
def test_whole_yuan_is_the_nearest(fen_times_100: int) -> None:
    rounded = money.whole_yuan_half_up(fen_times_100)

    assert rounded % 100 == 0
    assert -5000 < rounded * 100 - fen_times_100 <= 5000


@pytest.mark.parametrize(("fen", "text"), [(0, "0.00"), (5, "0.05"), (1250, "12.50"), (-5, "-0.05"), (-1250, "-12.50")])
def test_yuan(fen: int, text: str) -> None:
    assert money.yuan(fen) == text


@pytest.mark.parametrize(("numerator", "share"), [(0, 0), (1, 33), (2, 67), (3, 100)])
def test_shares_are_half_up(numerator: int, share: int) -> None:
    assert money.share_half_up(100, numerator, 3) == share


def test_impossible_money_is_refused() -> None:
    with pytest.raises(ValueError):
        money.whole_yuan_half_up(-1)
    with pytest.raises(ValueError):
        money.percent_in_whole_yuan(1, 1, min_fen=2, max_fen=1)
    with pytest.raises(ValueError):
        money.share_half_up(1, 1, 0)


def test_the_table_of_roles() -> None:
    assert set(TABLE) == set(Role)
    assert TABLE[Role.OWNER] == set(Permission)
    assert TABLE[Role.AGENT] < TABLE[Role.LEAD] < TABLE[Role.OWNER]
    assert all(Permission.VIEW in held for held in TABLE.values())
    assert roles_with(Permission.OVERRIDE_GATE) == (Role.LEAD, Role.OWNER)
    assert roles_with(Permission.MANAGE_OPERATORS) == (Role.OWNER,)
    assert not may(Role.FINANCE, Permission.REVEAL_BUYER)
    assert not may(Role.WAREHOUSE, Permission.REVEAL_BUYER)


def test_a_refusal_names_role_and_permission() -> None:
    check(Role.LEAD, Permission.OVERRIDE_GATE)
    with pytest.raises(Refused) as caught:
        check(Role.AGENT, Permission.OVERRIDE_GATE)
    assert caught.value.why == Why("not_allowed", {"role": "agent", "permission": "override_gate"})
