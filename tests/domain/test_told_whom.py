"""Who is told: by rule, by role, by name; and while nobody works on a case, the leads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bufa.domain import rulebook
from bufa.domain.kinds import Role
from bufa.domain.rulebook import RuleKind
from bufa.domain.told_whom import Listener, Way, default_of, is_known, ways

BOOK = rulebook.load().at(datetime(2026, 11, 24, tzinfo=UTC))
RULES = [BOOK.rule(each) for each in BOOK.ids]
ONE = "transit_timeout"


def way(role: Role, said: str | None = None, operator: int = 7, rule: str = ONE) -> Way | None:
    given = {} if said is None else {rule: said}
    return ways(RULES, given, Listener(operator, role)).get(rule)


def test_by_default_who_works_on_it_hears_and_the_leads_stand_in() -> None:
    assert way(Role.AGENT) is Way.OWN
    assert way(Role.LEAD) is way(Role.OWNER) is Way.STAND_IN
    assert way(Role.WAREHOUSE) is way(Role.FINANCE) is None


def test_points_are_the_leads_business() -> None:
    scores = [rule for rule in RULES if rule.kind is RuleKind.SCORE]
    assert scores
    for rule in scores:
        assert default_of(rule) == "leads"
        assert way(Role.LEAD, rule=rule.id) is Way.ALWAYS
        assert way(Role.AGENT, rule=rule.id) is None


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("leads", {Role.LEAD, Role.OWNER}),
        ("everybody", {Role.LEAD, Role.OWNER, Role.AGENT}),
        ("nobody", set()),
        ("operator:7", set(Role)),
        ("operator:8", set()),
    ],
)
def test_what_the_shop_says_holds(said: str, heard: set[Role]) -> None:
    assert is_known(said)
    assert {role for role in Role if way(role, said) is Way.ALWAYS} == heard
    assert {role for role in Role if way(role, said) is not None} == heard


@pytest.mark.parametrize("said", ["", "operator:", "operator:x", "someone", "operator:1 2"])
def test_what_nobody_can_say(said: str) -> None:
    assert not is_known(said)
