"""Every code that the trade or the rooms can say has words, and the words take what the code brings along."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from django.utils import translation

from bufa.apps.effects.models import EffectKind, EffectState
from bufa.apps.shops.models import ConnectionKind, ConnectionState
from bufa.domain import carrier_rules, case_facts, claims, kinds, notices, reissues, rulebook
from bufa.domain.outcome import Why
from bufa.domain.permissions import Permission
from bufa.domain.regions import Distance
from bufa.domain.verdict import CLAIM_OF_RULE, Source
from bufa.domain.waybills import NumberState
from bufa.web import words
from bufa.web.words import reasons

ROOT = Path(__file__).resolve().parents[2] / "bufa"

GROUPS: dict[str, type[StrEnum]] = {
    "kind": kinds.Kind,
    "reason": kinds.Reason,
    "stage": kinds.Stage,
    "step": kinds.Step,
    "measure": kinds.Measure,
    "role": kinds.Role,
    "permission": Permission,
    "distance": Distance,
    "order_class": rulebook.OrderClass,
    "certainty": rulebook.Certainty,
    "mark": rulebook.Mark,
    "claim": case_facts.Claim,
    "case": case_facts.CaseState,
    "action": case_facts.Action,
    "consent": case_facts.Consent,
    "consent_policy": case_facts.ConsentPolicy,
    "reissue": case_facts.ReissueState,
    "purpose": case_facts.Purpose,
    "outcome": case_facts.Outcome,
    "channel": notices.Channel,
    "source": Source,
    "gate": reissues.Answer,
    "route": reissues.Route,
    "number": NumberState,
    "topic": carrier_rules.Topic,
    "rule_mark": carrier_rules.Mark,
    "paper": carrier_rules.Paper,
    "basis": carrier_rules.Basis,
    "begins": carrier_rules.From,
    "claim_state": claims.ClaimState,
    "claim_act": claims.ClaimAct,
}


def said_in_code() -> Iterator[tuple[str, str]]:
    """(code, where) for every `Why("…")`, `Refused("…")` and gate answer written out in the source."""
    for folder in ("domain", "apps", "jobs", "api", "web"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    yield from ((code, f"{path.name}:{node.lineno}") for code in _codes(node))


def _codes(call: ast.Call) -> Iterator[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    literal = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if name in ("Why", "Refused", "_say", "_doubt") and call.args and isinstance(call.args[0], ast.Constant):
        yield str(call.args[0].value)
    elif name == "_said" and len(call.args) >= 2 and isinstance(call.args[1], ast.Attribute):
        if len(call.args) > 2:
            yield from literal[1:2] if isinstance(call.args[0], ast.Constant) else literal[:1]
        elif literal:
            yield f"{literal[0]}_{reissues.Answer[call.args[1].attr].value}"


def made_up() -> set[str]:
    """Codes that the source puts together from parts."""
    made = {f"number_{state.value}" for state in NumberState if state is not NumberState.OK}
    made |= {f"{code}_{end}" for code in ("pickup", "delivery") for end in ("incomplete", "pass")}
    return made | {"ticket_to_be_agreed", "ticket_to_be_opened", "no_such_parcel", "not_found", "malformed"}


CODES = sorted({code for code, _ in said_in_code()} | made_up())


def test_no_code_has_words_twice() -> None:
    """The tables are laid over each other: what stands in two of them would be said in the wrong room's words."""
    codes = [code for table in reasons.TABLES for code in table]
    assert sorted({code for code in codes if codes.count(code) > 1}) == []


def test_every_reason_has_words() -> None:
    missing = sorted({(code, where) for code, where in said_in_code() if not words.has_words(code)})
    assert missing == []
    assert sorted(code for code in made_up() if not words.has_words(code)) == []


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_every_word_of_the_trade_has_words(group: str) -> None:
    assert [each.value for each in GROUPS[group] if each.value not in words.GROUPS[group]] == []


def test_every_rule_has_a_name_and_evidence() -> None:
    ids = {*rulebook.load().ids, *CLAIM_OF_RULE}
    assert sorted(each for each in ids if each not in words.GROUPS["rule"]) == []
    assert sorted(each for each in ids if not words.has_words(each)) == []
    families = {rule.family for rule in rulebook.load().rules}
    assert families <= set(words.GROUPS["family"])


def test_every_action_has_a_line_for_the_timeline() -> None:
    assert [each.value for each in case_facts.Action if each.value not in words.GROUPS["entry"]] == []


def test_what_leaves_the_house_has_words() -> None:
    assert [each for each in EffectKind.values if each not in words.GROUPS["effect_kind"]] == []
    assert [each for each in EffectState.values if each not in words.GROUPS["effect"]] == []
    assert [each for each in ConnectionKind.values if each not in words.GROUPS["connection_kind"]] == []
    assert [each for each in ConnectionState.values if each not in words.GROUPS["connection"]] == []


def test_every_line_of_the_timeline_that_is_written_has_words() -> None:
    written = set()
    rooms = ("cases", "claims", "negotiations", "notices", "reissues")
    for path in sorted(path for room in rooms for path in (ROOT / "apps" / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_kind = isinstance(node, ast.keyword) and node.arg == "kind"
            if is_kind and isinstance(node.value, ast.Constant):
                written.add(str(node.value.value))
    assert sorted(written - set(words.GROUPS["entry"]) - set(EffectKind.values) - set(ConnectionKind.values)) == []


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("code", CODES)
def test_a_reason_can_be_said_without_its_params(code: str, language: str) -> None:
    with translation.override(language):
        said = words.say(Why(code))
    assert said
    assert "%(" not in said


def test_params_are_put_into_words() -> None:
    translation.activate("zh-hans")  # a page asked for in English before leaves its language to this thread
    said = Why("carrier_silent", {"due": "2026-11-20T04:00:00+00:00", "measure": "reissue"})
    assert words.say(said) == "承运商到 11-20 12:00 还没有答复"
    assert words.say(Why("measure_missing", {"claim": "lost"})) == "已判定为丢失，还没有选措施"
    assert words.shown("risk_fen", 1250) == "¥12.50"
    assert words.shown("roles", ["lead", "owner"]) == "主管、店主"
