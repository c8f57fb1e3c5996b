"""Two parcels on their way to one customer: seen side by side, and what was chosen about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import STANDING, Case, DoubleChoice, Finding
from bufa.domain.outcome import Refused
from bufa.lib.tenancy import reading, writing

RULE = "original_revived"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen and stands. `done`: what followed, to show and to take back."""

    choice_id: int
    kind: str
    way: str
    done: Mapping[str, Any]
    by: str
    at: datetime


def of_case(shop_id: int, case_id: int) -> dict[str, Chosen]:
    """What stands, by kind: `choice`, `goods`."""
    with reading([shop_id]):
        rows = DoubleChoice.objects.filter(shop_id=shop_id, case_id=case_id, undone_at=None)
        return {row.kind: Chosen(row.pk, row.kind, row.way, row.done, row.by, row.at) for row in rows}


def standing(shop_id: int, parcel_id: int) -> list[int]:
    """Findings that say that the first parcel moves again."""
    with reading([shop_id]):
        rows = Finding.objects.filter(shop_id=shop_id, parcel_id=parcel_id, rule=RULE, state__in=STANDING)
        return list(rows.order_by("id").values_list("id", flat=True))


def keep(*, shop_id: int, case_id: int, kind: str, way: str, done: Mapping[str, Any], by: Actor, now: datetime) -> int:
    """Write down what was chosen and what followed. Raises Refused `chosen_already` (way)."""
    with writing([shop_id]):
        Case.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=case_id)
        if there := of_case(shop_id, case_id).get(kind):
            raise Refused("chosen_already", way=there.way)
        row = DoubleChoice.objects.create(
            shop_id=shop_id, case_id=case_id, kind=kind, way=way, done=dict(done), by=by.name, at=now
        )
        told = {"way": way} if kind == "choice" else {"n": int(done.get("pieces", 0))}
        entry = "double_chosen" if kind == "choice" else "goods_back"
        cases.log(shop_id=shop_id, case_id=case_id, kind=entry, by=by, now=now, data=told)
        audit.record(shop_id, by.ref, f"double.{kind}", f"case:{case_id}", told)
        return row.pk


def undo(*, shop_id: int, case_id: int, kind: str, by: Actor, now: datetime) -> Chosen:
    """Take it back; returns what it was. Raises Refused `double_not_chosen`."""
    with writing([shop_id]):
        row = (
            DoubleChoice.objects.select_for_update(of=("self",))
            .filter(shop_id=shop_id, case_id=case_id, kind=kind, undone_at=None)
            .first()
        )
        if row is None:
            raise Refused("double_not_chosen")
        row.undone_by, row.undone_at = by.name, now
        row.save(update_fields=["undone_by", "undone_at"])
        told = {"way": row.way} if kind == "choice" else {"n": int(row.done.get("pieces", 0))}
        entry = "double_undone" if kind == "choice" else "goods_back_undone"
        cases.log(shop_id=shop_id, case_id=case_id, kind=entry, by=by, now=now, data=told)
        audit.record(shop_id, by.ref, f"double.{kind}.undo", f"case:{case_id}", told)
        return Chosen(row.pk, row.kind, row.way, row.done, row.by, row.at)
