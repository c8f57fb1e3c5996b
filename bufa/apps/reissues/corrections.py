"""A number that was submitted wrong, put right at the platform where it has a way for that; else why it has none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.models import Case
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.effects import actions as effects
from bufa.apps.effects import queries as effect_queries
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import EffectKind, EffectState
from bufa.apps.effects.queries import EffectView
from bufa.apps.orders import queries as orders
from bufa.apps.parcels.boxes import change_number
from bufa.apps.parcels.models import Parcel, ParcelRole
from bufa.apps.parcels.numbers import clean_number, remember_numbers
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops import queries as shops
from bufa.domain import waybills
from bufa.domain.effects import TAKE_BACK, Result
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, check
from bufa.domain.reissues import Route, correction_refused
from bufa.lib import clock
from bufa.lib.prepared import prepared
from bufa.lib.tenancy import reading, writing

_OPEN = (EffectState.READY, EffectState.SENDING, EffectState.UNKNOWN)
_IMPOSSIBLE = (
    waybills.NumberState.EMPTY,
    waybills.NumberState.DIRTY,
    waybills.NumberState.LENGTH,
    waybills.NumberState.BAD_CHECK_DIGIT,
)


@dataclass(frozen=True, slots=True)
class Correctable:
    """A parcel of the case with a number. `why_not`: why it can't be corrected (now); `effect`: the last correction."""

    parcel_id: int
    role: str
    carrier: str
    number: str
    why_not: Why | None
    effect: EffectView | None

    @property
    def needs_person(self) -> bool:
        return self.effect is not None and self.effect.state == EffectState.UNKNOWN and self.effect.needs_person


def of_case(shop_id: int, case_id: int) -> tuple[Correctable, ...]:
    """The original and the reissues of a case that have a number, oldest first."""
    with reading([shop_id]):
        case = cases_by_id([shop_id], [case_id])[case_id]
        routes, rows = numbered(shop_id, case_id, case.order_id)
        mine = [row for row in rows if row.pk in routes or row.role == ParcelRole.ORIGINAL]
        last = effect_queries.of_subjects(shop_id, [_subject(row.pk) for row in mine])
        has_api = shops.connection(shop_id, "doudian") is not None
        denied = EffectKind.CORRECT_NUMBER in effect_queries.denied(shop_id)
        found = []
        for row in mine:
            effect = last.get(_subject(row.pk))
            route = Route(routes[row.pk]) if routes.get(row.pk) else None
            under_way = effect is not None and effect.state in _OPEN
            why = correction_refused(route, has_api=has_api, denied=denied, under_way=under_way)
            found.append(Correctable(row.pk, str(row.role), row.carrier, row.number, why, effect))
        return tuple(found)


@prepared
def _sent(shop_id: int, case_id: int) -> QuerySet[Reissue, tuple[int, str]]:
    rows = Reissue.objects.filter(shop_id=shop_id, case_id=case_id, parcel__isnull=False)
    return rows.values_list("parcel_id", "route")


@prepared
def _with_number(shop_id: int, order_id: int) -> QuerySet[Parcel]:
    return Parcel.objects.filter(shop_id=shop_id, order_id=order_id).exclude(number="").order_by("id")


def numbered(shop_id: int, case_id: int, order_id: int) -> tuple[dict[int, str], list[Parcel]]:
    """The routes of the case's reissues by parcel, and the order's parcels that have a number."""
    with reading([shop_id]):
        return dict(_sent(shop_id, case_id)), _with_number(shop_id, order_id)


def correct(
    *,
    shop_id: int,
    case_id: int,
    parcel_id: int,
    carrier: str,
    number: str,
    reason: str,
    by: Actor,
    delay: timedelta = TAKE_BACK,
    now: datetime | None = None,
) -> int:
    """Ask the platform to exchange a parcel's number; it leaves after `delay` (real time). Returns the effect's id.

    Raises Refused: why it can't be corrected (see `correction_refused`), number_is_the_same, number_impossible,
    number_taken.
    """
    if by.role is None:
        raise Refused("people_only", action="correct")
    check(by.role, Permission.SUBMIT_REISSUE)
    now, number = now or clock.now(), clean_number(number)
    with writing([shop_id]):
        one = next((each for each in of_case(shop_id, case_id) if each.parcel_id == parcel_id), None)
        if one is None:
            raise Refused("correct_not_here")
        if one.why_not is not None:
            raise Refused(one.why_not.code, **one.why_not.params)
        if (one.carrier, one.number) == (carrier, number):
            raise Refused("number_is_the_same")
        if (state := waybills.check(carrier, number).state) in _IMPOSSIBLE:
            raise Refused("number_impossible", number_state=state.value)
        tries = f"{_subject(parcel_id)}:{carrier}:{number}:{one.effect.effect_id if one.effect else 0}"
        again = one.effect is not None and one.effect.state in (EffectState.REJECTED, EffectState.CANCELLED)
        if not remember_numbers([(carrier, number)]) and not (again and _tried(shop_id, parcel_id, carrier, number)):
            raise Refused("number_taken")
        row = Parcel.objects.get(shop_id=shop_id, id=parcel_id)
        order = orders.number_of(shop_id, row.order_id)
        effect_id = effects.want(
            shop_id=shop_id,
            kind=EffectKind.CORRECT_NUMBER,
            key=tries[:120],
            lane=f"order:{order}",
            subject=_subject(parcel_id),
            intent={
                "order": order,
                "package_id": row.package_id,
                "was": one.number,
                "carrier": carrier,
                "number": number,
            },
            by=by.name,
            delay=delay,
        )
        data = {"was": one.number, "number": number, "carrier": carrier}
        audit.record(shop_id, by.ref, "reissue.correct", f"parcel:{parcel_id}", data)
        cases.log(
            shop_id=shop_id,
            case_id=case_id,
            kind="correct_asked",
            by=by,
            now=now,
            data=data,
            words=reason,
            effect_id=effect_id,
        )
        return effect_id


def stop(*, shop_id: int, parcel_id: int, by: Actor) -> None:
    """Take a correction back before it leaves. Raises Refused `already_left`."""
    with writing([shop_id]):
        effect = effect_queries.of_subjects(shop_id, [_subject(parcel_id)]).get(_subject(parcel_id))
        if effect is None or not effects.cancel(shop_id=shop_id, effect_id=effect.effect_id, by=by.name):
            raise Refused("already_left")
        audit.record(shop_id, by.ref, "reissue.correct_stop", f"parcel:{parcel_id}")


def release(*, shop_id: int, parcel_id: int, is_there: bool, by: Actor) -> None:
    """A person looked at the platform: the new number is there, or it is not. Raises Refused effect_not_unknown."""
    if by.role is None:
        raise Refused("people_only", action="correct")
    check(by.role, Permission.SETTLE_EFFECT)
    with writing([shop_id]):
        effect = effect_queries.of_subjects(shop_id, [_subject(parcel_id)]).get(_subject(parcel_id))
        if effect is None:
            raise Refused("effect_not_unknown")
        result = Result.ACCEPTED if is_there else Result.REJECTED
        error = {} if is_there else {"why": "person_says_absent"}
        on_effect(effects.settle(shop_id=shop_id, effect_id=effect.effect_id, result=result, by=by.name, error=error))
        audit.record(shop_id, by.ref, "reissue.correct_release", f"parcel:{parcel_id}", {"is_there": is_there})


def on_effect(settled: Settled) -> None:
    """The platform has the new number, or said no, or has not said."""
    if settled.state not in (EffectState.ACCEPTED, EffectState.REJECTED, EffectState.UNKNOWN):
        return
    shop_id, parcel_id = settled.shop_id, settled.owner[1]
    with writing([shop_id]):
        now = clock.now()
        carrier, number = effects.intent_of(shop_id, settled.effect_id, "carrier", "number")
        row = Parcel.objects.get(shop_id=shop_id, id=parcel_id)
        if settled.state == EffectState.ACCEPTED:
            change_number(shop_id=shop_id, parcel_id=parcel_id, carrier=carrier, number=number, by="system", now=now)
            Reissue.objects.filter(shop_id=shop_id, parcel_id=parcel_id).update(carrier=carrier, number=number)
        said = {"number": number, "carrier": carrier, "why": settled.error.get("why", "")}
        for case_id in (
            Case.objects.filter(shop_id=shop_id, order_id=row.order_id)
            .exclude(state="closed")
            .values_list("id", flat=True)
        ):
            cases.log(
                shop_id=shop_id,
                case_id=case_id,
                kind=f"correct_{settled.state}",
                by=SYSTEM,
                now=now,
                data=said,
                words=str(settled.error.get("text", "")),
                effect_id=settled.effect_id,
            )
            if settled.state == EffectState.ACCEPTED:
                cases.look_again(shop_id=shop_id, case_id=case_id, now=now)


def _subject(parcel_id: int) -> str:
    return f"correction:{parcel_id}"


def _tried(shop_id: int, parcel_id: int, carrier: str, number: str) -> bool:
    """This parcel tried this very number and the platform has not taken it: it may be tried again."""
    return effects.key_exists(shop_id, f"{_subject(parcel_id)}:{carrier}:{number}:")
