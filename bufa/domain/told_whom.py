"""Who is told when a rule speaks: by rule, a shop's own choice or the default; and what of it is somebody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bufa.domain.kinds import Role
from bufa.domain.permissions import Permission, may
from bufa.domain.rulebook import Rule, RuleKind

PERSON = "operator:"
"""`operator:12` names one member."""


class Whom(StrEnum):
    """Whom a rule tells. OWNER: who works on the case, the leads while nobody does."""

    OWNER = "owner"
    LEADS = "leads"
    EVERYBODY = "everybody"
    NOBODY = "nobody"


class Way(StrEnum):
    """How a finding reaches one person: always, as who works on its case, or also while nobody works on it."""

    ALWAYS = "always"
    OWN = "own"
    STAND_IN = "stand_in"


@dataclass(frozen=True, slots=True)
class Listener:
    """One member of a shop."""

    operator_id: int
    role: Role

    @property
    def leads(self) -> bool:
        return self.role in (Role.LEAD, Role.OWNER)

    @property
    def works(self) -> bool:
        return may(self.role, Permission.WORK_CASE)


def default_of(rule: Rule) -> str:
    """Whom a rule tells where the shop has not said: points are the leads' business, money and work the owner's."""
    return Whom.LEADS if rule.kind is RuleKind.SCORE else Whom.OWNER


def is_known(said: str) -> bool:
    """Is it something that a shop can say?"""
    return said in frozenset(Whom) or (said.startswith(PERSON) and said.removeprefix(PERSON).isdigit())


def ways(rules: Iterable[Rule], said: Mapping[str, str], who: Listener) -> dict[str, Way]:
    """Rule → how its findings reach this member; rules that tell them nothing are missing."""
    found: dict[str, Way] = {}
    for rule in rules:
        whom = said.get(rule.id) or default_of(rule)
        way = _way(whom, who)
        if way is not None:
            found[rule.id] = way
    return found


def _way(whom: str, who: Listener) -> Way | None:
    if whom == f"{PERSON}{who.operator_id}":
        return Way.ALWAYS
    match whom:
        case Whom.OWNER:
            return Way.STAND_IN if who.leads else Way.OWN if who.works else None
        case Whom.LEADS:
            return Way.ALWAYS if who.leads else None
        case Whom.EVERYBODY:
            return Way.ALWAYS if who.works else None
        case _:
            return None
