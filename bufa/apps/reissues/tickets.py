"""The buyer's 补寄 ticket: agreed or refused from the desk."""

from __future__ import annotations

from datetime import datetime

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.models import Case
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import EffectKind, EffectState
from bufa.apps.orders.models import AfterSale
from bufa.apps.orders.views import AFTER_SALE_RESEND
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.tenancy import writing

WAITS, AGREED, REFUSED = 6, 8, 27


def answer_ticket(
    *,
    shop_id: int,
    number: str,
    agree: bool,
    by: Actor,
    reason: str = "",
    reason_code: int = 0,
    now: datetime | None = None,
) -> int:
    """Agree to a 补寄 (501; also after a refusal) or refuse it (502; with the reason). Returns the effect's id.

    The ticket's `update_time` goes along: when it changed meanwhile the platform says no, and it is read again.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.OPERATE_AFTERSALE)
    with writing([shop_id]):
        ticket = AfterSale.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, number=number).first()
        if ticket is None or ticket.type != AFTER_SALE_RESEND:
            raise Refused("no_such_ticket")
        if ticket.status not in ((WAITS, REFUSED) if agree else (WAITS,)):
            raise Refused("ticket_not_open", status=ticket.status)
        if not agree and not reason.strip():
            raise Refused("parameter_missing", name="reason")
        kind = EffectKind.AGREE_RESEND if agree else EffectKind.REFUSE_RESEND
        intent = {"after_sale": number, "update_time": ticket.update_time, "reason": reason, "reason_code": reason_code}
        effect_id = effects.want(
            shop_id=shop_id,
            kind=kind,
            key=f"ticket:{number}:{ticket.update_time}:{kind}",
            lane=f"order:{ticket.order.number}",
            subject=f"ticket:{ticket.pk}",
            intent=intent,
            by=by.name,
        )
        audit.record(shop_id, by.ref, f"ticket.{'agree' if agree else 'refuse'}", f"ticket:{ticket.pk}")
        for case_id in _open_cases(shop_id, ticket.order_id):
            cases.log(
                shop_id=shop_id,
                case_id=case_id,
                kind="ticket_agree_asked" if agree else "ticket_refuse_asked",
                by=by,
                now=now,
                data={"ticket": number},
                words=reason,
                effect_id=effect_id,
            )
        return effect_id


def on_effect(settled: Settled) -> None:
    """The platform's answer. The ticket itself is read again soon; until then its new status is what we were told."""
    with writing([settled.shop_id]):
        ticket = AfterSale.objects.select_for_update(of=("self",)).get(shop_id=settled.shop_id, id=settled.owner[1])
        now = clock.now()
        if settled.state == EffectState.ACCEPTED:
            said = AGREED if settled.kind == EffectKind.AGREE_RESEND else REFUSED
            if ticket.status in (WAITS, REFUSED):
                ticket.status = said
                ticket.save(update_fields=["status"])
        elif settled.state not in (EffectState.REJECTED, EffectState.UNKNOWN):
            return
        for case_id in _open_cases(settled.shop_id, ticket.order_id):
            cases.log(
                shop_id=settled.shop_id,
                case_id=case_id,
                kind=f"{settled.kind}_{settled.state}",
                by=SYSTEM,
                now=now,
                data={"ticket": ticket.number, "why": settled.error.get("why", "")},
                effect_id=settled.effect_id,
            )
            cases.look_again(shop_id=settled.shop_id, case_id=case_id, now=now)


def _open_cases(shop_id: int, order_id: int) -> list[int]:
    rows = Case.objects.filter(shop_id=shop_id, order_id=order_id).exclude(state="closed")
    return list(rows.order_by("id").values_list("id", flat=True))
