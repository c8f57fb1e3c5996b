"""The rule library of a shop: the product's rows about carriers, and its own over them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db.models import QuerySet

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.negotiations.models import OwnRule, RuleChange
from bufa.domain.carrier_rules import CarrierRule, Library, Mark, defaults, library, read_rule
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.prepared import prepared
from bufa.lib.tenancy import for_shops, reading

MOST_OWN = 300

log = logging.getLogger(__name__)


@prepared
def _own(shop_ids: Sequence[int]) -> QuerySet[OwnRule]:
    return OwnRule.objects.filter(shop_id__one_of=shop_ids).order_by("id")


def of_shop(shop_id: int) -> Library:
    """All rules that hold for a shop."""
    return of_shops([shop_id])[shop_id]


def of_shops(shop_ids: Sequence[int]) -> dict[int, Library]:
    """The libraries of several shops; one query."""
    own: dict[int, list[CarrierRule]] = {shop_id: [] for shop_id in shop_ids}
    with reading(shop_ids):
        for row in _own(shop_ids):
            try:
                own[row.shop_id].append(read_rule(row.row))
            except Refused:  # written by an older version and no rule any more: the product's row holds
                log.warning("a carrier rule could not be read", extra={"shop_id": row.shop_id, "rule": row.rule_id})
    return {shop_id: library(rules) for shop_id, rules in own.items()}


def changed_by(shop_id: int) -> dict[str, tuple[str, datetime]]:
    """Rule → who wrote the shop's own row over it, and when."""
    with reading([shop_id]):
        rows = OwnRule.objects.filter(shop_id=shop_id)
        return {row.rule_id: (row.by, row.changed_at) for row in rows}


def set_rule(
    *, shop_id: int, row: Mapping[str, Any], by: Actor, rule_id: str = "", now: datetime | None = None
) -> CarrierRule:
    """Write the shop's own rule: over the row named, or a new one. Its mark is "own".

    Raises Refused as `carrier_rules.read_rule` does, and no_such_rule, too_many_rules (most).
    """
    _may_edit(by)
    if rule_id and not rule_id.startswith("own_") and defaults().get(rule_id) is None:
        raise Refused("no_such_rule")
    named = rule_id or f"own_{uuid4().hex[:12]}"
    kept = {**row, "id": named, "mark": Mark.OWN.value}
    rule = read_rule(kept)
    kept["since"] = rule.since.isoformat()
    with for_shops([shop_id]):
        there = OwnRule.objects.filter(shop_id=shop_id)
        if rule_id.startswith("own_") and not there.filter(rule_id=rule_id).exists():
            raise Refused("no_such_rule")
        if there.exclude(rule_id=named).count() >= MOST_OWN:
            raise Refused("too_many_rules", most=MOST_OWN)
        _put(shop_id, named, kept, by, now or clock.now())
        audit.record(shop_id, by.ref, "carrier_rule.set", f"rule:{named}", {"topic": rule.topic.value})
    return rule


def restore_rule(*, shop_id: int, rule_id: str, by: Actor, now: datetime | None = None) -> bool:
    """Take the shop's own rule away: the product's row holds again, if there is one. Returns whether there was any."""
    _may_edit(by)
    with for_shops([shop_id]):
        gone = _put(shop_id, rule_id, None, by, now or clock.now())
        if gone:
            audit.record(shop_id, by.ref, "carrier_rule.restore", f"rule:{rule_id}")
        return gone


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `before`, `after`: the rule, None where the product's row held or there was none.

    `can_undo`: the rule still is what this change made of it.
    """

    change_id: int
    rule_id: str
    before: CarrierRule | None
    after: CarrierRule | None
    by: str
    at: datetime
    can_undo: bool


def history(shop_id: int, limit: int = 30) -> tuple[Change, ...]:
    """The newest changes of the shop's rules."""
    with reading([shop_id]):
        rows = list(RuleChange.objects.filter(shop_id=shop_id).order_by("-id")[:limit])
    seen: set[str] = set()
    found = []
    for row in rows:
        newest = row.rule_id not in seen
        seen.add(row.rule_id)
        found.append(Change(row.pk, row.rule_id, _read(row.before), _read(row.after), row.by, row.at, newest))
    return tuple(found)


def undo(*, shop_id: int, change_id: int, by: Actor, now: datetime | None = None) -> None:
    """Make the rule what it was before this change; that is a change, too, and can be undone.

    Raises Refused rule_changed_since where somebody changed the rule after it; RuleChange.DoesNotExist.
    """
    _may_edit(by)
    with for_shops([shop_id]):
        row = RuleChange.objects.get(shop_id=shop_id, id=change_id)
        if RuleChange.objects.filter(shop_id=shop_id, rule_id=row.rule_id, id__gt=row.pk).exists():
            raise Refused("rule_changed_since")
        _put(shop_id, row.rule_id, row.before, by, now or clock.now())
        audit.record(shop_id, by.ref, "carrier_rule.undo", f"rule:{row.rule_id}", {"change": change_id})


def _put(shop_id: int, rule_id: str, row: Mapping[str, Any] | None, by: Actor, now: datetime) -> bool:
    """Write the shop's own row, or take it away, with a line of history; False where nothing changed."""
    mine = OwnRule.objects.select_for_update().filter(shop_id=shop_id, rule_id=rule_id)
    there = mine.first()
    before = there.row if there else None
    if before == row:
        return False
    if row is None:
        mine.delete()
    else:
        OwnRule.objects.update_or_create(
            shop_id=shop_id, rule_id=rule_id, defaults={"row": row, "by": by.name, "changed_at": now}
        )
    RuleChange.objects.create(shop_id=shop_id, rule_id=rule_id, before=before, after=row, by=by.name[:80], at=now)
    return True


def _read(row: Mapping[str, Any] | None) -> CarrierRule | None:
    try:
        return None if row is None else read_rule(row)
    except Refused:  # of an older version
        return None


def _may_edit(by: Actor) -> None:
    if by.role is not None:
        check(by.role, Permission.EDIT_CARRIER_RULES)
