"""One case whole: what is wrong, what to do now, both parcels, the three kinds of evidence, all that was done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from bufa.apps.cases import actions as acting
from bufa.apps.cases import incident_views as incidents
from bufa.apps.cases import queries as cases
from bufa.apps.cases.shapes import ActionView, CaseRow, CaseView
from bufa.apps.claims import deductions
from bufa.apps.effects import queries as effects
from bufa.apps.effects.queries import EffectView
from bufa.apps.negotiations import actions as negotiations_actions
from bufa.apps.negotiations import queries as negotiations
from bufa.apps.notices import opt_outs, planning, wordings
from bufa.apps.notices import queries as notices
from bufa.apps.orders import address_changes
from bufa.apps.orders import queries as orders
from bufa.apps.parcels import queries as parcels
from bufa.apps.parcels.views import ParcelView, parcels_of_order
from bufa.apps.reissues import booking, copy_pack, corrections
from bufa.apps.reissues import queries as reissues
from bufa.apps.shops import queries as shops
from bufa.domain.kinds import Measure, Step
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission, may
from bufa.lib import clock
from bufa.lib.shelf import together
from bufa.web import carrier_rules, case_carrier, case_customer_side, case_forms, first_steps
from bufa.web.case_forms import AddressForm
from bufa.web.desk import Desk, desk
from bufa.web.finding_forms import penalty_form, put_off_forms
from bufa.web.tasks import OutcomeForm
from bufa.web.timeline import track
from bufa.web.words import say, yuan

MOVING = ("ready", "sending", "unknown")
"""Effects that may still change by themselves."""

TAKEN_BACK = ("reissue", "notice", "correction", "remedy")
"""Owners of effects that people can stop before they leave."""

STEP_OF_NEXT = {
    "submission_accepted": "number",
    "customer_told": "notify",
    "reissue_delivered": "follow",
    "parcel_delivered": "follow",
    "reopen": "follow",
    "silence_over": "follow",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the five steps on the page; the one where the next act happens stands first and open."""

    step: str
    number: int
    template: str
    state: str
    is_now: bool
    is_open: bool


class Acts(dict[str, ActionView | None]):
    """Actions by name; one that has no place here is None, so that templates can ask for any."""

    def __missing__(self, name: str) -> None:
        return None


def page(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    return show(request, shop_id, code)


def show(
    request: HttpRequest,
    shop_id: int,
    code: str,
    failed: dict[str, Form] | None = None,
    kept: dict[str, Form] | None = None,
    status: int = 0,
    **more: Any,
) -> HttpResponse:
    """The page; `failed` are forms as they were typed, by name, with their errors, `kept` those without."""
    here = desk(request)
    role = here.role(shop_id)
    now = clock.now()
    found = cases.case_page(shop_id, code, role, now, beside=(_beside_case, partial(_beside_parcels, here, now)))
    if found is None:
        raise Http404
    said = context(here, found, now, (failed or {}) | (kept or {})) | more
    said["hint"] = first_steps.of_case(said)
    if typed := more.get("typed"):  # forms about the parcel, not the case
        said |= typed | {"put_off": put_off_forms(found.findings, typed.get("put_off_typed"))}
    return render(request, "web/cases/case.html", said, status=status or (422 if failed or typed else 200))


def _beside_case(row: CaseRow, parcels: Sequence[ParcelView]) -> list[Callable[[], object]]:
    """What the page reads of other rooms, as far as the case alone says which."""
    shop_id, case_id = row.shop_id, row.case_id
    return [
        lambda: negotiations.of_case(shop_id, case_id, carrier=row.carrier),
        lambda: reissues.of_case(shop_id, case_id),
        lambda: notices.of_case(shop_id, case_id),
        lambda: booking.of_case(shop_id, case_id),
        lambda: cases.cases_by_id([shop_id], [case_id]),
        lambda: cases.remedy_effects(shop_id, case_id),
        lambda: negotiations.effect_ids(shop_id, case_id),
        lambda: acting.kept_facts(shop_id=shop_id, case_id=case_id),
        lambda: acting.about(shop_id=shop_id, case_id=case_id),
        lambda: parcels_of_order(shop_id, row.order_id),
        lambda: corrections.numbered(shop_id, case_id, row.order_id),
        lambda: effects.denied(shop_id),
        lambda: orders.ciphers(shop_id, row.order_id),
        lambda: address_changes.of_orders(shop_id, [row.order_id]),
        lambda: shops.pickup_addresses([shop_id]),
        lambda: shops.members([shop_id]),
        lambda: shops.shop(shop_id),
        *case_customer_side.beside(row),
        lambda: shops.in_use(shop_id),
        lambda: shops.policy_json(shop_id),
        lambda: wordings.newest(shop_id),
        *(partial(shops.connection, shop_id, kind) for kind in ("doudian", "smtp")),
    ]


def _beside_parcels(here: Desk, now: datetime, row: CaseRow, known: Sequence[ParcelView]) -> list[Callable[[], object]]:
    """… and what hangs on what was read so far."""
    shop_id, case_id = row.shop_id, row.case_id
    last = known[-1]
    return [
        lambda: negotiations.of_case(shop_id, case_id, carrier=last.carrier),
        lambda: _effects_of(shop_id, case_id),
        lambda: planning.around(shop_id, row.order_id, now),
        *([lambda: reissues.open_draft(shop_id, case_id, now)] if row.measure == Measure.REISSUE else []),
        lambda: cases.claims_of_recipient(shop_id, row.order_id, now),
        lambda: incidents.of_parcels(shop_id, [each.parcel_id for each in known]),
        lambda: deductions.of_parcels(shop_id, [known[0].parcel_id], now),
        *case_carrier.beside(here, row, last, now),
        *(partial(parcels.outlook, each, now) for each in known),
    ]


def effects_moved(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """What is under way outside, for htmx to ask; a page whose case has moved on is asked to load itself anew."""
    here = desk(request)
    row = cases.case_by_code([shop_id], code)
    if row is None or shop_id not in here.all_shops:
        raise Http404
    together(*_beside_case(row, ()))
    under_way = _effects_of(shop_id, row.case_id)
    signature = sign(row.version, under_way)
    if signature != request.GET.get("seen", ""):
        response = HttpResponse("")
        response["HX-Refresh"] = "true"
        return response
    return render(request, "web/cases/moving.html", _moving(shop_id, code, row.version, under_way))


def sign(version: int, under_way: dict[int, EffectView]) -> str:
    """Changes when there is something new to see."""
    return f"{version}." + ".".join(
        f"{key}{effect.state[0]}{effect.attempt}" for key, effect in sorted(under_way.items())
    )


def _effects_of(shop_id: int, case_id: int) -> dict[int, EffectView]:
    ids = {sent.effect_id for sent in reissues.of_case(shop_id, case_id)}
    ids |= {told.effect_id for told in notices.of_case(shop_id, case_id)}
    ids |= {label.effect_id for label in booking.of_case(shop_id, case_id)}
    ids |= set(negotiations.effect_ids(shop_id, case_id))
    ids |= {each.effect.effect_id for each in corrections.of_case(shop_id, case_id) if each.effect}
    ids |= set(cases.remedy_effects(shop_id, case_id))
    return effects.by_id([shop_id], sorted(each for each in ids if each))


def _moving(shop_id: int, code: str, version: int, under_way: dict[int, EffectView]) -> dict[str, Any]:
    real = clock.real_now()
    rows = []
    for effect in under_way.values():
        if effect.state not in MOVING or (effect.state == "unknown" and effect.needs_person):
            continue
        owner, _, number = effect.subject.partition(":")
        mine = owner in TAKEN_BACK and effect.can_cancel and effect.next_at is not None
        left = int((effect.next_at - real).total_seconds()) if mine and effect.next_at else 0
        rows.append({"effect": effect, "owner": owner, "id": number, "seconds": max(0, left)})
    url = reverse("cases_effects", args=[shop_id, code])
    return {
        "moving": rows,
        "moving_url": f"{url}?seen={sign(version, under_way)}",
        "take_back_url": reverse("cases_take_back", args=[shop_id, code]),
    }


def context(here: Desk, found: CaseView, now: datetime, failed: dict[str, Form]) -> dict[str, Any]:
    row = found.row
    shop_id, case_id = row.shop_id, row.case_id
    acts = Acts({each.action: each for each in found.actions})
    boxes = (found.original, *found.reissue_parcels)
    current = boxes[-1]
    talk = negotiations.of_case(shop_id, case_id, carrier=current.carrier, place=case_carrier.place_of(row, current))
    sent = reissues.of_case(shop_id, case_id)
    told = notices.of_case(shop_id, case_id)
    numbers = corrections.of_case(shop_id, case_id)
    mine = (
        {one.effect.effect_id for one in numbers if one.effect}
        | set(cases.remedy_effects(shop_id, case_id))
        | {one.effect_id for one in sent}
        | {one.effect_id for one in told}
        | {one.effect_id for one in talk.messages}
    )
    labels = booking.of_case(shop_id, case_id)
    mine |= {one.effect_id for one in labels}
    ids = mine | {entry.effect_id for entry in found.timeline}
    under_way = effects.by_id([shop_id], sorted(each for each in ids if each))
    watched = {key: effect for key, effect in under_way.items() if key in mine}
    draft = reissues.open_draft(shop_id, case_id, now) if "fill_number" in acts and row.measure == "reissue" else None
    changes = address_changes.of_orders(shop_id, [row.order_id]).get(row.order_id, ())
    forms = _forms(here, found, acts, talk, draft) | failed
    may_choose, why_not = _may_choose(here, shop_id, acts)
    return (
        {
            "view": found,
            "row": row,
            "acts": acts,
            "may_choose": may_choose,
            "may_choose_why": why_not,
            "panels": _panels(found, failed),
            "forms": forms,
            "talk": talk,
            "letter": _letter(found, acts, talk, now),
            "reissues": sent,
            "labels": labels,
            "numbers": numbers,
            "packs": _packs(sent, shop_id, here.operator_id),
            "live_reissue": next(
                (each for each in reversed(sent) if each.state in ("submitting", "unknown", "accepted")), None
            ),
            "draft": draft,
            "changes": changes,
            "notices": told,
            "proposals": _proposals(row.round, told, shop_id, case_id) if "tell_customer" in acts else (),
            "opt_outs": opt_outs.of_order(shop_id, row.order_id),
            "to_phone": any(each.state == "todo" for each in told),
            "effects": under_way,
            "last_effect": next(
                (under_way[at] for each in found.timeline if (at := each.effect_id) in under_way), None
            ),
            "original": (found.original, track(found.original, now)),
            "outlooks": {each.parcel_id: parcels.outlook(each, now) for each in boxes},
            "again": [(each, track(each, now)) for each in found.reissue_parcels],
            "current": current,
            "evidence": _evidence(found, talk),
            "pasted": None,
            "past": cases.claims_of_recipient(shop_id, row.order_id, now),
            "task_text": task_text(found),
            "asked_why": next((each.words for each in found.timeline if each.kind == "request_approval"), ""),
            "asks_second": any(each.needs_second for each in found.options),
            "is_asker": found.approval is not None and found.approval.by_id == here.operator_id,
            "may_operate": may(here.role(shop_id), Permission.OPERATE_AFTERSALE),
            "open_findings": [each for each in found.findings if each.state == "open"],
            "action_base": reverse("cases_case", args=[shop_id, row.code]),
            "check_url": reverse("cases_reissue_check", args=[shop_id, row.code]),
            "may_reveal": here.may(Permission.REVEAL_BUYER, shop_id)
            and (found.order.recipient.has_plain or found.order.recipient.has_cipher),
            "may_settle": may(here.role(shop_id), Permission.SETTLE_EFFECT),
            "to_answer": [ticket for ticket in found.order.after_sales if ticket.is_resend and ticket.status == 6],
        }
        | _moving(shop_id, row.code, row.version, watched)
        | _about_parcels(found)
        | case_carrier.context(here, found, current, now)
        | case_customer_side.context(here, found, now)
    )


def _packs(sent: Sequence[reissues.ReissueView], shop_id: int, operator_id: int) -> dict[int, Any]:
    """What is copied into the platform's page by hand, for reissues that went no other way."""
    by_hand = [each.reissue_id for each in sent if each.state == "unknown" and each.effect_id is None]
    return {reissue_id: copy_pack.pack(shop_id, reissue_id, operator_id) for reissue_id in by_hand}


def _about_parcels(found: CaseView) -> dict[str, Any]:
    """What is known around the case's parcels: incidents, penalty notices, forms about findings."""
    row, original = found.row, found.original
    boxes = [each.parcel_id for each in (original, *found.reissue_parcels)]
    return {
        "incidents": incidents.of_parcels(row.shop_id, boxes),
        "penalty": penalty_form(),
        "penalties": deductions.of_parcels(row.shop_id, [original.parcel_id], clock.now()),
        "penalty_parcel": original.parcel_id,
        "put_off": put_off_forms(found.findings) if row.is_open else None,
        "typed": None,
        "page_url": reverse("cases_case", args=[row.shop_id, row.code]),
    }


def _proposals(
    round_: int, told: tuple[notices.NoticeView, ...], shop_id: int, case_id: int
) -> tuple[notices.Proposal, ...]:
    """What can be said now; nothing where this round's message is said or on its way."""
    said = {
        each.purpose for each in told if each.round == round_ and each.state not in ("cancelled", "failed", "silent")
    }
    return tuple(each for each in notices.proposals(shop_id, case_id) if each.purpose not in said)


def _may_choose(here: Desk, shop_id: int, acts: Acts) -> tuple[bool, str]:
    """May a measure be chosen now (a verdict still open is confirmed with it), and if not, why."""
    ways = [way for name in ("choose_measure", "change_measure") if (way := acts[name]) is not None]
    if any(each.allowed for each in ways):
        return True, ""
    confirm = acts.get("confirm_verdict")
    if confirm is not None and confirm.allowed:
        refusal = here.refusal(Permission.CHOOSE_MEASURE, shop_id)
        return not refusal, refusal
    closed = next((each.refused for each in (*ways, confirm) if each is not None and each.refused), None)
    return False, say(closed) if closed else ""


def _panels(found: CaseView, failed: dict[str, Form]) -> list[Panel]:
    """The step of the next act first, then the others in their order."""
    states = {each.step: each.state for each in found.steps}
    next_step = next((each.step for each in found.actions if each.is_next), "")
    next_step = STEP_OF_NEXT.get(found.row.next_action, next_step) or found.row.step
    failed_in = {FORM_STEPS.get(name, "") for name in failed}
    order = sorted(Step, key=lambda step: step.value != next_step)
    return [
        Panel(
            step.value,
            list(Step).index(step) + 1,
            f"web/cases/panels/{step.value}.html",
            states.get(step.value, "later"),
            step.value == next_step,
            step.value in (next_step, found.row.step) or step.value in failed_in,
        )
        for step in order
    ]


FORM_STEPS = {
    "decide": "determine",
    "decline": "determine",
    "remedy": "determine",
    "dismiss": "determine",
    "ask": "negotiate",
    "consent": "negotiate",
    "without": "negotiate",
    "reissue": "number",
    "release": "number",
    "correct": "number",
    "skip": "notify",
    "close": "follow",
    "reopen": "follow",
}


def _forms(
    here: Desk, found: CaseView, acts: Acts, talk: negotiations.Talk, draft: reissues.Draft | None
) -> dict[str, Form]:
    """Fresh forms for what can be done here; ids are kept apart by each form's name."""
    row = found.row
    claim = found.facts.get("claim") or (found.verdict.claim if found.verdict else "")
    people = [
        (each.operator_id, each.display_name or each.login) for each in shops.members([row.shop_id]) if each.is_active
    ]
    made: dict[str, Form] = {
        "decide": case_forms.MeasureForm(auto_id="id_decide_%s", initial={"claim": claim}),
        "statement": case_forms.StatementForm(
            auto_id="id_statement_%s", initial={"source": "customer", "claim": claim}, lines=found.order.lines
        ),
        "files": case_forms.FilesForm(auto_id="id_files_%s"),
        "address": AddressForm(auto_id="id_address_%s"),
        "paste": case_forms.PasteForm(auto_id="id_paste_%s"),
        "remedy": case_forms.RemedyForm(auto_id="id_remedy_%s"),
        "decline": case_forms.ReasonForm(auto_id="id_decline_%s"),
        "ask": case_forms.AskForm(auto_id="id_ask_%s", contacts=talk.contacts),
        "consent": case_forms.ConsentForm(
            auto_id="id_consent_%s", rules=carrier_rules.beside_case(row.shop_id, row.carrier, claim, clock.now())
        ),
        "ladder": case_forms.ReasonForm(auto_id="id_ladder_%s"),
        "without": case_forms.ReasonForm(auto_id="id_without_%s"),
        "correct": case_forms.CorrectForm(auto_id="id_correct_%s"),
        "release": case_forms.ReleaseForm(auto_id="id_release_%s"),
        "skip": case_forms.ReasonForm(auto_id="id_skip_%s"),
        "close": case_forms.CloseForm(auto_id="id_close_%s"),
        "reopen": case_forms.ReasonForm(auto_id="id_reopen_%s"),
        "dismiss": case_forms.ReasonForm(auto_id="id_dismiss_%s"),
        "note": case_forms.NoteForm(auto_id="id_note_%s"),
        "take": case_forms.TakeForm(auto_id="id_take_%s", people=people, initial={"owner": row.owner_id or ""}),
        "call": OutcomeForm(auto_id="id_call_%s"),
    }
    if draft is not None:
        made["reissue"] = reissue_form(draft)
    return made


def reissue_form(draft: reissues.Draft, data: Any = None) -> case_forms.ReissueForm:
    counted = dict(draft.form.items)
    initial: dict[str, Any] = {
        "carrier": draft.form.carrier,
        "number": draft.form.number,
        "pickup": draft.form.pickup_id,
        "delivery": draft.form.delivery,
    }
    initial |= {f"line_{at}": counted.get(line.line_id, 0) for at, line in enumerate(draft.order.lines)}
    return case_forms.ReissueForm(
        data,
        auto_id="id_reissue_%s",
        initial=initial,
        pickups=draft.pickups,
        lines=draft.order.lines,
        changes=draft.changes,
    )


def _letter(found: CaseView, acts: Acts, talk: negotiations.Talk, now: datetime) -> Any:
    """The mail to the carrier as it would leave now, or the reason why there can be none."""
    if "ask_carrier" not in acts:
        return None
    reminder = any(each.direction == "out" and each.round == found.row.round for each in talk.messages)
    try:
        return negotiations_actions.write_letter(
            found.row.shop_id, found.row.case_id, answer_by=now + timedelta(hours=24), reminder=reminder
        )
    except Refused as refused:
        return refused.why


def task_text(found: CaseView) -> str:
    """What a person does where the platform has no method: the steps, with the numbers to copy."""
    remedy = found.remedy
    if remedy is None or remedy.state not in ("todo", "failed"):
        return ""
    values = {"order": found.order.number, "money": yuan(remedy.amount_fen), "code": found.row.code}
    if remedy.measure == Measure.REFUND:
        return (
            _(
                "1. 请客户在订单 %(order)s 里申请“仅退款”，金额 %(money)s；申请一到，这里就能一键同意。\n"
                "2. 客户申请不了的，到抖店后台 › 订单管理，搜 %(order)s，用“小额打款”付 %(money)s，备注 %(code)s。\n"
                "3. 办好后把流水号填在下面。"
            )
            % values
        )
    return (
        _(
            "1. 到抖店后台 › 订单管理，搜 %(order)s，点“小额打款”。\n"
            "2. 金额 %(money)s，原因选“物流问题补偿”，备注 %(code)s。\n"
            "3. 打款成功后把流水号填在下面。"
        )
        % values
    )


def _evidence(found: CaseView, talk: negotiations.Talk) -> list[dict[str, Any]]:
    """The three kinds of evidence, each with what it says and whether it agrees with the verdict."""
    verdict = found.verdict
    rows = []
    for source in ("tracking", "carrier", "customer"):
        said = [each for each in found.statements if each.source == source]
        stands = ""
        if verdict is not None:
            stands = "agree" if source in verdict.agree else "contradict" if source in verdict.contradict else "missing"
        answers = [each for each in talk.consents if each.result != "overridden"] if source == "carrier" else []
        share = next((each for each in verdict.shares if each.source == source), None) if verdict else None
        rows.append({"source": source, "said": said, "stands": stands, "answers": answers, "share": share})
    return rows


def no_contact() -> Why:
    return Why("no_contact")
