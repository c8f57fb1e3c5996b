"""The reissue: filled in, checked, submitted once, and followed as a parcel of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db.models import F

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import EffectKind, EffectState
from bufa.apps.parcels.boxes import add_reissue
from bufa.apps.parcels.numbers import remember_numbers
from bufa.apps.reissues import deliveries, packs, ranges
from bufa.apps.reissues.forms import Checked, ReissueForm, check_form, goods_wanted
from bufa.apps.reissues.models import Reissue
from bufa.apps.shops import queries as shops
from bufa.apps.shops import stock
from bufa.apps.shops.models import Shop
from bufa.domain import caps
from bufa.domain.cases import Action, CaseState, ReissueState
from bufa.domain.cases import EffectKind as Wanted
from bufa.domain.effects import TAKE_BACK, Result
from bufa.domain.kinds import Stage
from bufa.domain.outcome import Refused
from bufa.domain.reissue_numbers import reissue_number
from bufa.domain.reissues import Route
from bufa.domain.rulebook import SHOP_ZONE
from bufa.lib import clock
from bufa.lib.tenancy import writing

_WITH_US = (Stage.UNSHIPPED, Stage.LABELLED, Stage.CANCELLED)
_REQUEST_IDS = UUID("5b0f6a1e-0c5c-5f7e-9d35-3f2d0b6e7a11")
"""The namespace of our request ids; never changes, or a repeat would ship again."""


_OWN = frozenset({Wanted.SUBMIT_REISSUE, Wanted.SUBSCRIBE_REISSUE, Wanted.READ_BACK})


@dataclass(frozen=True, slots=True)
class Submitted:
    """`effect_id` None: there is no way for us to submit it, a person enters it at the platform and says so."""

    reissue_id: int
    code: str
    effect_id: int | None


def subject_of(reissue_id: int) -> str:
    """The name under which effects, holds and audit rows speak of a reissue."""
    return f"reissue:{reissue_id}"


def save_draft(
    *, shop_id: int, case_id: int, form: ReissueForm, by: Actor, version: int | None = None, now: datetime | None = None
) -> int:
    """Keep the form as it is; nothing leaves. The gate is asked only for its report."""
    now = now or clock.now()
    with writing([shop_id]):
        follow(shop_id=shop_id, case_id=case_id, now=now)
        acted = cases.act(shop_id=shop_id, case_id=case_id, action=Action.FILL_NUMBER, by=by, now=now, version=version)
        row = _draft(shop_id, case_id, acted.round, by, now)
        checked = check_form(shop_id, case_id, form, now)
        _fill(row, form, checked)
        row.save()
        if subject_of(row.pk) in stock.held_goods(shop_id, [subject_of(row.pk)], used=False):
            wanted = goods_wanted(checked.order, form.items)  # what it keeps is what it says
            stock.reserve(shop_id=shop_id, subject=subject_of(row.pk), wanted=wanted, now=now)
        ranges.want(shop_id, [checked.way], now)
        return row.pk


def submit(
    *,
    shop_id: int,
    case_id: int,
    form: ReissueForm,
    by: Actor,
    override_reason: str = "",
    version: int | None = None,
    now: datetime | None = None,
    delay: timedelta = TAKE_BACK,
) -> Submitted:
    """Submit a reissue number: the gate judges again inside the transaction, the number is taken for ever, and the
    effect leaves after `delay` (real time), in which it can be stopped.

    The goods are promised to it until they leave or it comes to nothing.

    Raises Refused: cap_case, cap_day, gate_refused, stock_short, gate_needs_lead, gate_needs_reason,
    number_taken, ticket_needed, and the case's own reasons.
    """
    now = now or clock.now()
    if by.role is None:
        raise Refused("people_only", action=Action.SUBMIT.value)
    with writing([shop_id]):
        _under_the_caps(shop_id, case_id, now)
        reissue_id = save_draft(shop_id=shop_id, case_id=case_id, form=form, by=by, version=version, now=now)
        row = Reissue.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=reissue_id)
        checked = check_form(shop_id, case_id, form, now)
        checked.report.may_submit(by.role, override_reason)
        fresh = remember_numbers([(row.carrier, row.number)])
        if not fresh and not checked.known_number:
            raise Refused("number_taken")
        acted = cases.act(
            shop_id=shop_id,
            case_id=case_id,
            action=Action.SUBMIT,
            by=by,
            now=now,
            carries_out=_OWN,
            override_reason=override_reason,
        )
        wanted = goods_wanted(checked.order, form.items)
        if not stock.is_used(shop_id, subject_of(row.pk)):  # a box that is packed took its goods along
            stock.reserve(shop_id=shop_id, subject=subject_of(row.pk), wanted=wanted, now=now)
        row.state, row.submitted_at = "submitting", now
        row.override_reason = override_reason[:200]
        row.effect_id = _want(row, checked, by, delay)
        if row.effect_id is None:
            row.state = "unknown"
            _act(row, Action.SUBMISSION_UNKNOWN, SYSTEM, now, by_hand=True)
        row.save()
        subject = subject_of(row.pk)
        audit.record(shop_id, by.ref, "reissue.submit", subject, {"case": acted.code, "route": row.route})
        return Submitted(row.pk, row.code, row.effect_id)


def _under_the_caps(shop_id: int, case_id: int, now: datetime) -> None:
    """Counted under the shop's lock, so that many at once can't pass a cap together."""
    limits = caps.Caps.read(shops.policy_json(shop_id))
    left = Reissue.objects.filter(shop_id=shop_id, submitted_at__isnull=False).exclude(
        state__in=["cancelled", "rejected"]
    )
    midnight = now.astimezone(SHOP_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    today = left.filter(submitted_at__gte=midnight)[: limits.per_day].count()
    caps.check_reissue(limits, in_case=left.filter(case_id=case_id).count(), today=today)


def stop(*, shop_id: int, reissue_id: int, by: Actor, now: datetime | None = None) -> None:
    """Take a submission back before it leaves. Raises Refused `already_left`."""
    now = now or clock.now()
    with writing([shop_id]):
        row = Reissue.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=reissue_id)
        if row.effect_id is None or not effects.cancel(shop_id=shop_id, effect_id=row.effect_id, by=by.name):
            raise Refused("already_left")
        _end(row, "cancelled", now)
        _act(row, Action.SUBMISSION_REJECTED, SYSTEM, now, taken_back_by=by.name)
        audit.record(shop_id, by.ref, "reissue.stop", subject_of(row.pk))


def on_effect(settled: Settled) -> None:
    """What became of the submission: a parcel to follow, words of refusal, or a question."""
    shop_id = settled.shop_id
    with writing([shop_id]):
        row = Reissue.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=settled.owner[1])
        now = clock.now()
        match settled.state:
            case EffectState.ACCEPTED if row.state in ("submitting", "unknown"):
                _accept(row, now)
                _act(row, Action.SUBMISSION_ACCEPTED, SYSTEM, now, promise_at=row.eta_to)
            case EffectState.REJECTED if row.state in ("submitting", "unknown"):
                _end(row, "rejected", now)
                said = {name: settled.error.get(name, "") for name in ("why", "text", "sub_code")}
                _act(row, Action.SUBMISSION_REJECTED, SYSTEM, now, **said)
            case EffectState.UNKNOWN if row.state == "submitting":
                row.state = "unknown"
                row.save(update_fields=["state"])
                _act(row, Action.SUBMISSION_UNKNOWN, SYSTEM, now)


def release(
    *, shop_id: int, reissue_id: int, is_there: bool, reason: str, by: Actor, now: datetime | None = None
) -> None:
    """A person looked at the platform: the number is there, or it is not. Settles the unknown effect with it."""
    now = now or clock.now()
    with writing([shop_id]):
        row = _settle_unknown(shop_id, reissue_id, is_there, by, now)
        _act(row, Action.RELEASE_UNKNOWN, by, now, accepted=is_there, reason=reason, promise_at=row.eta_to)


def prove(*, shop_id: int, reissue_id: int, by: Actor, now: datetime | None = None) -> None:
    """The platform's own page was seen to hold order and number. Nobody's word is taken for it, so whoever may submit
    may settle it so; that it is *not* there stays a lead's word (`release`)."""
    now = now or clock.now()
    with writing([shop_id]):
        row = _settle_unknown(shop_id, reissue_id, True, by, now)
        _act(row, Action.PROVE_SUBMISSION, by, now, promise_at=row.eta_to)


def follow(*, shop_id: int, case_id: int, now: datetime | None = None) -> None:
    """Let the reissue's row say what its case already knows: it arrived, or it went wrong and a new round is open."""
    now = now or clock.now()
    with writing([shop_id]):
        row = Reissue.objects.filter(shop_id=shop_id, case_id=case_id, state="accepted").first()
        if row is None:
            return
        facts, _, _ = cases.about(shop_id=shop_id, case_id=case_id)
        if facts.round > row.round:
            row.state = "wrong"
        elif facts.reissue_state is ReissueState.DELIVERED:
            row.state = "delivered"
        else:
            return
        row.ended_at = now
        row.save(update_fields=["state", "ended_at"])


def goods_left(shops: Sequence[int], now: datetime) -> int:
    """Take goods off the shelf that a carrier has collected, and let go those of a reissue that went wrong before any
    carrier had it. Returns how many reissues that was. The rows say it, so calling again changes nothing."""
    done = 0
    for shop_id, subjects in stock.held_subjects(shops, "reissue:").items():
        ids = [int(subject.partition(":")[2]) for subject in subjects]
        with writing([shop_id]):
            for row in (
                Reissue.objects.filter(shop_id=shop_id, id__in=ids).select_related("parcel", "case").order_by("id")
            ):
                collected = row.parcel is not None and row.parcel.stage not in _WITH_US
                if collected or row.state == "delivered":
                    done += stock.use(shop_id=shop_id, subject=subject_of(row.pk), now=now) > 0
                elif row.state in ("wrong", "rejected", "cancelled") or (
                    row.state == "draft" and row.case.state != CaseState.NUMBERING
                ):
                    done += stock.release(shop_id=shop_id, subject=subject_of(row.pk), now=now) > 0
    return done


# --- inside ----------------------------------------------------------------------------------------------------------


def _draft(shop_id: int, case_id: int, round_: int, by: Actor, now: datetime) -> Reissue:
    kept = Reissue.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, case_id=case_id, state="draft")
    if row := kept.first():
        row.round = round_
        return row
    Shop.objects.filter(id=shop_id).update(next_reissue=F("next_reissue") + 1)
    number = Shop.objects.values_list("next_reissue", flat=True).get(id=shop_id) - 1
    return Reissue(
        shop_id=shop_id,
        case_id=case_id,
        round=round_,
        code=reissue_number(shop_id, number),
        by=by.name,
        created_at=now,
    )


def _fill(row: Reissue, form: ReissueForm, checked: Checked) -> None:
    row.carrier, row.number = checked.form.carrier, checked.form.number
    row.contents = [[item.line_id, item.quantity] for item in checked.form.items]
    row.pickup_address_id = checked.pickup.pickup_id if checked.pickup else None
    row.delivery = deliveries.kept(form.delivery, checked.ticket.number if checked.ticket else "")
    row.route = checked.route.value
    row.after_sale_number = checked.ticket.number if checked.ticket and checked.route is Route.RESEND else ""
    row.gate = checked.report.to_json()
    row.eta_from, row.eta_to = checked.eta_from, checked.eta_to


def _want(row: Reissue, checked: Checked, by: Actor, delay: timedelta) -> int | None:
    """The effect of the route; None where only a person can do it (no access)."""
    key = subject_of(row.pk)
    intent: dict[str, Any] = {"carrier": row.carrier, "number": row.number, "order": checked.order.number}
    match checked.route:
        case Route.RESEND:
            kind = EffectKind.RESEND
            intent["after_sale"] = row.after_sale_number
        case Route.EXTRA_PACKAGE:
            kind = EffectKind.EXTRA_PACKAGE
            intent["lines"] = row.contents
            intent["send_address_id"] = checked.pickup.platform_id if checked.pickup else ""
        case Route.ADD_PACK:
            kind = EffectKind.ADD_PACK
            intent["lines"] = row.contents
            intent["send_address_id"] = checked.pickup.platform_id if checked.pickup else ""
            # Known before the call: the platform ships nothing twice under one id, whoever repeats it.
            intent["request_id"] = str(uuid5(_REQUEST_IDS, f"{row.shop_id}:{key}"))
        case _:
            return None
    return effects.want(
        shop_id=row.shop_id,
        kind=kind,
        key=key,
        lane=f"order:{checked.order.number}",
        subject=subject_of(row.pk),
        intent=intent,
        by=by.name,
        delay=delay,
    )


def _settle_unknown(shop_id: int, reissue_id: int, is_there: bool, by: Actor, now: datetime) -> Reissue:
    row = Reissue.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=reissue_id)
    if row.state != "unknown":
        raise Refused("submission_not_unknown", reissue_state=row.state)
    if row.effect_id is not None:
        result = Result.ACCEPTED if is_there else Result.REJECTED
        error = {} if is_there else {"why": "person_says_absent"}
        effects.settle(shop_id=shop_id, effect_id=row.effect_id, result=result, by=by.name, error=error)
    if is_there:
        _accept(row, now)
    else:
        _end(row, "rejected", now)
    return row


def _end(row: Reissue, state: str, now: datetime) -> None:
    """It came to nothing: its goods are free again."""
    row.state, row.ended_at = state, now
    row.save(update_fields=["state", "ended_at"])
    packs.fell_through(row, "taken_back" if state == "cancelled" else state, now)
    stock.release(shop_id=row.shop_id, subject=subject_of(row.pk), now=now)


def _accept(row: Reissue, now: datetime) -> None:
    """The platform has the number: the reissue is a parcel like any other from now on."""
    contents = tuple((str(line), int(count)) for line, count in row.contents)
    row.parcel_id = add_reissue(
        shop_id=row.shop_id,
        order_id=row.case.order_id,
        carrier=row.carrier,
        number=row.number,
        contents=contents,
        uploaded_at=now,
        now=now,
        ships_first=row.route == Route.ADD_PACK,
    )
    row.state, row.accepted_at = ReissueState.ACCEPTED.value, now
    row.save(update_fields=["parcel", "state", "accepted_at"])
    facts: dict[str, Any] = {"reissue_parcel": row.parcel_id, "reissue_code": row.code}
    if row.eta_from is not None:
        facts["promise_from"] = row.eta_from
    cases.update_facts(shop_id=row.shop_id, case_id=row.case_id, now=now, **facts)


def _act(row: Reissue, action: Action, by: Actor, now: datetime, **params: Any) -> None:
    cases.act(
        shop_id=row.shop_id,
        case_id=row.case_id,
        action=action,
        by=by,
        now=now,
        carries_out=_OWN,
        effect_id=row.effect_id,
        number=row.number,
        carrier=row.carrier,
        **params,
    )
