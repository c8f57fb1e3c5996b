"""Asking a carrier to stop a parcel, deliver it again or take it elsewhere; and, apart from that, what came of it.

It goes by the platform's after-sale where there is a ticket (stopping only), else by a mail to the carrier, else a
person does it by hand. Any parcel of a case can be asked about: the original also after its reissue has left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases import facts as case_facts
from bufa.apps.cases import telling
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.models import Case
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import EffectKind, EffectState
from bufa.apps.negotiations import posting
from bufa.apps.negotiations.models import ParcelRequest
from bufa.apps.negotiations.queries import contacts_for
from bufa.apps.orders.views import order_view
from bufa.apps.parcels import lane_counts
from bufa.apps.parcels.views import ParcelView, parcel_views
from bufa.apps.shops import queries as shops
from bufa.domain import parcel_requests
from bufa.domain.carrier_messages import Ask, CarrierLetter, Mail, write
from bufa.domain.kinds import Kind, Measure, Stage
from bufa.domain.money import share_half_up
from bufa.domain.outcome import Refused, Why
from bufa.domain.parcel_requests import Price, RequestKind, RequestState, RequestWay
from bufa.domain.parcels import ParcelState
from bufa.domain.permissions import Permission
from bufa.domain.permissions import check as check_may
from bufa.domain.rulebook import Fact
from bufa.lib import clock
from bufa.lib.crypto import seal, unseal
from bufa.lib.tenancy import for_shops, reading, writing

ANSWER_WITHIN = timedelta(hours=4)
"""A parcel moves on: an answer tomorrow helps nobody."""

_ASKS = {
    RequestKind.INTERCEPT: Ask.INTERCEPT,
    RequestKind.REDELIVER: Ask.REDELIVER,
    RequestKind.CHANGE_ADDRESS: Ask.CHANGE_ADDRESS,
}
_MATTERS = {
    RequestKind.INTERCEPT: "intercept",
    RequestKind.REDELIVER: "redeliver",
    RequestKind.CHANGE_ADDRESS: "readdress",
}
_REASONS = {
    RequestKind.INTERCEPT: "请拦截退回，不要再派送",
    RequestKind.REDELIVER: "请再次派送",
    RequestKind.CHANGE_ADDRESS: "收件地址有变，请改派",
}


@dataclass(frozen=True, slots=True)
class Requested:
    """A request that was made. `until`: when it is too late, None where nobody knows."""

    request_id: int
    way: RequestWay
    until: datetime | None


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request with its result."""

    request_id: int
    parcel_id: int
    number: str
    kind: str
    way: str
    state: str
    is_wished: bool
    penalty_fen: int
    until: datetime | None
    ticket: str
    effect_id: int | None
    by: str
    asked_at: datetime
    result_by: str
    result_at: datetime | None
    words: str = field(default="", repr=False)
    result_words: str = field(default="", repr=False)

    @property
    def is_open(self) -> bool:
        return self.state == RequestState.ASKED

    @property
    def can_be_done(self) -> bool:
        return self.state in (RequestState.ASKED, RequestState.FAILED)


@dataclass(frozen=True, slots=True)
class Choice:
    """What could be asked about one parcel. `why`: why not; `until`: when it is too late; `price`: what it costs."""

    parcel_id: int
    number: str
    kind: str
    why: Why | None
    until: datetime | None
    price: Price
    way: RequestWay


def choices(
    shop_id: int,
    parcels: Sequence[ParcelView],
    *,
    asked: Collection[tuple[int, str]],
    recall_fen: int,
    has_ticket: bool,
    now: datetime,
) -> tuple[Choice, ...]:
    """Everything that could be asked about a case's parcels, also what can't, with the reason; said before the act.

    `asked`: (parcel, kind) whose result is open. `recall_fen`: what stopping one costs, 0 where the buyer wished it.
    """
    return tuple(
        _choice(shop_id, parcel, kind, (parcel.parcel_id, kind.value) in asked, recall_fen, has_ticket, now)
        for parcel in parcels
        if parcel.number
        for kind in RequestKind
    )


def request(
    *,
    shop_id: int,
    case_id: int,
    kind: RequestKind = RequestKind.INTERCEPT,
    by: Actor,
    parcel_id: int | None = None,
    accept_penalty: bool = False,
    words: str = "",
    now: datetime | None = None,
) -> Requested:
    """Ask for it. `parcel_id`: the original where none is named. `words`: what the carrier has to know, such as the
    other address; kept sealed.

    Raises Refused: recall_not_wished (cost_fen) unless the buyer wished it or `accept_penalty`; not_under_way,
    not_at_destination, request_is_open, request_words_missing, not_a_parcel_of_case, not_allowed.
    """
    now = now or clock.now()
    if by.role is not None:
        check_may(by.role, Permission.CHOOSE_MEASURE)
    if kind is RequestKind.CHANGE_ADDRESS and not words.strip():
        raise Refused("request_words_missing")
    with writing([shop_id]):
        case = Case.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=case_id)
        around = case_facts.look_around(case, now)
        wanted = parcel_id or case.parcel_id
        if wanted not in case_facts.parcel_ids(case):
            raise Refused("not_a_parcel_of_case")
        parcel = parcel_views([shop_id], [wanted])[wanted]
        if ParcelRequest.objects.filter(
            shop_id=shop_id, parcel_id=wanted, kind=kind, state=RequestState.ASKED
        ).exists():
            raise Refused("request_is_open")
        choice = _choice(shop_id, parcel, kind, False, _recall(case, around), around.any_ticket is not None, now)
        if choice.why is not None:
            raise Refused(choice.why.code, **choice.why.params)
        parcel_requests.check_wish(choice.price, accept_penalty)
        row = ParcelRequest.objects.create(
            shop_id=shop_id, case=case, parcel_id=wanted, kind=kind.value, way=choice.way.value, until=choice.until,
            is_wished=choice.price.is_wished, penalty_fen=choice.price.penalty_fen, by=by.name[:80], asked_at=now,
            words=_sealed(shop_id, words, _place(case_id, "words", now)),
        )  # fmt: skip
        if choice.way is RequestWay.PLATFORM:
            _by_platform(row, around, parcel, by)
        else:
            _by_message(row, case, parcel, words, by, now)
        row.save(update_fields=["ticket", "effect_id"])
        said = {"request": kind.value, "way": choice.way.value, "number": parcel.number}
        cases.log(shop_id=shop_id, case_id=case_id, kind="request_asked", by=by, now=now,
                  data=said | {"penalty_fen": choice.price.penalty_fen}, effect_id=row.effect_id)  # fmt: skip
        audit.record(shop_id, by.ref, "request.ask", f"case:{case_id}", said)
        return Requested(row.pk, choice.way, choice.until)


def result(
    *,
    shop_id: int,
    request_id: int,
    state: RequestState,
    by: Actor,
    words: str = "",
    at: datetime | None = None,
    now: datetime | None = None,
) -> None:
    """What came of it, as a person learned it. A parcel that was stopped against the buyer's wish is a recall, which
    the platform punishes: the parcel is judged with that at once.

    Raises Refused: request_is_settled (request_state), said_in_the_future, already_left (withdrawn too late).
    """
    now = now or clock.now()
    if by.role is not None:
        check_may(by.role, Permission.WORK_CASE)
    if at is not None and at > now:
        raise Refused("said_in_the_future", said_at=at.isoformat())
    with writing([shop_id]):
        row = ParcelRequest.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=request_id)
        takes_back = state is RequestState.WITHDRAWN and row.effect_id is not None
        if takes_back and not effects.cancel(shop_id=shop_id, effect_id=row.effect_id or 0, by=by.name):
            raise Refused("already_left")
        _settle(row, state, by, at or now, now, words)


def of_case(shop_id: int, case_id: int) -> tuple[RequestView, ...]:
    """A case's requests, the newest first."""
    with reading([shop_id]):
        rows = ParcelRequest.objects.filter(shop_id=shop_id, case_id=case_id).select_related("parcel")
        return tuple(_view(row) for row in rows.order_by("-id"))


def on_effect(settled: Settled) -> None:
    """The platform's no is a result; its yes is none: the track tells whether the parcel really stopped."""
    if EffectState(settled.state) is not EffectState.REJECTED:
        return
    with writing([settled.shop_id]):
        row = ParcelRequest.objects.select_for_update(of=("self",)).get(shop_id=settled.shop_id, id=settled.owner[1])
        if row.state == RequestState.ASKED:
            now = clock.now()
            why = str(settled.error.get("text") or settled.error.get("why") or "")[:200]
            _settle(row, RequestState.FAILED, SYSTEM, now, now, why)


def settle_by_track(shop_id: int, now: datetime, limit: int = 200) -> int:
    """Requests whose parcel says by its track what came of them; returns how many."""
    rows = ParcelRequest.objects.filter(shop_id=shop_id, state=RequestState.ASKED)
    with for_shops([shop_id]):
        if not rows.exists():
            return 0
    done = 0
    with writing([shop_id]):
        for row in rows.select_for_update(of=("self",)).select_related("parcel").order_by("id")[:limit]:
            state = ParcelState.from_json(row.parcel.state)
            stops = [at for at in (state.last.get(Kind.INTERCEPTED), state.last.get(Kind.RETURNING)) if at]
            said = parcel_requests.by_track(
                RequestKind(row.kind), asked_at=row.asked_at, stage=Stage(row.parcel.stage),
                stopped_at=max(stops, default=None), delivered_at=state.delivered_at,
            )  # fmt: skip
            if said is not None:
                _settle(row, said, SYSTEM, now, now, "")
                done += 1
    return done


def _choice(
    shop_id: int, parcel: ParcelView, kind: RequestKind, is_open: bool, recall_fen: int, has_ticket: bool, now: datetime
) -> Choice:
    stage = Stage(parcel.stage)
    why = Why("request_is_open", {}) if is_open else parcel_requests.check(kind, stage)
    state = ParcelState.from_json(parcel.state)
    price = parcel_requests.price(kind, is_wished=recall_fen == 0, recall_fen=recall_fen)
    if why is not None:
        return Choice(parcel.parcel_id, parcel.number, kind.value, why, None, price, RequestWay.HAND)
    origin, to = parcel.origin_province, parcel.dest_province
    eta = lane_counts.eta(shop_id, parcel.carrier, origin, to, state.collected_at, now).p50
    out_since = state.last.get(Kind.OUT_FOR_DELIVERY)
    until = parcel_requests.too_late_at(kind, stage, eta=eta, out_since=out_since, now=now)
    way = _way(shop_id, parcel, kind, has_ticket)
    return Choice(parcel.parcel_id, parcel.number, kind.value, None, until, price, way)


def _recall(case: Case, around: case_facts.Around) -> int:
    """What stopping a parcel costs by itself: nothing where the buyer wishes it."""
    if around.wish is Measure.INTERCEPT:
        return 0
    order = order_view(case.shop_id, case.order_id)
    return share_half_up(order.paid_fen if order else 0, around.policy.recall_penalty_percent, 100)


def _way(shop_id: int, parcel: ParcelView, kind: RequestKind, has_ticket: bool) -> RequestWay:
    if kind is RequestKind.INTERCEPT and has_ticket:
        platform = shops.connection(shop_id, "doudian")
        if platform is not None and platform.state != "off":
            return RequestWay.PLATFORM
    found = contacts_for(shop_id, parcel.carrier, parcel.place)
    if not found or found[0].channel == "by_hand":
        return RequestWay.HAND
    mail = shops.connection(shop_id, "smtp")
    has_sender = mail is not None and bool(mail.settings.get("sender"))
    return RequestWay.MAIL if has_sender or found[0].channel == "robot" else RequestWay.HAND


def _by_platform(row: ParcelRequest, around: case_facts.Around, parcel: ParcelView, by: Actor) -> None:
    ticket = around.any_ticket
    if ticket is None:
        raise Refused("no_such_ticket")
    row.ticket = ticket.number
    row.effect_id = effects.want(
        shop_id=row.shop_id, kind=EffectKind.INTERCEPT, key=f"request:{row.pk}", lane=f"order:{parcel.order_number}",
        subject=f"request:{row.pk}", by=by.name,
        intent={"after_sale": ticket.number, "update_time": ticket.update_time, "order": parcel.order_number,
                "carrier": parcel.carrier, "number": parcel.number},
    )  # fmt: skip


def _by_message(row: ParcelRequest, case: Case, parcel: ParcelView, words: str, by: Actor, now: datetime) -> None:
    """One message to the nearest contact: a mail, a group's robot, or a text that a person copies."""
    kind, due = RequestKind(row.kind), now + ANSWER_WITHIN
    found = contacts_for(case.shop_id, parcel.carrier, parcel.place)
    if not found or (row.way == RequestWay.HAND and found[0].channel != "by_hand"):
        return
    state = ParcelState.from_json(parcel.state)
    mail = write(
        CarrierLetter(
            case_code=case.code, shop=shops.shop(case.shop_id).name, waybill=parcel.number,
            order_tail=parcel.order_number[-4:], reason=_REASONS[kind], ask=_ASKS[kind], answer_by=due,
            origin=parcel.origin_province, destination=parcel.dest_province, collected_at=state.collected_at,
            last_scan_at=parcel.last_scan_at, place=parcel.place,
        )
    )  # fmt: skip
    body = f"{mail.body}\n{words.strip()}\n" if words.strip() else mail.body
    about = posting.About(case.pk, case.code, parcel.parcel_id, case.round, "request")
    posted = posting.post(
        shop_id=case.shop_id, to=posting.contact(case.shop_id, found[0].contact_id), about=[about],
        mail=Mail(mail.subject, body), due=due, by=by, now=now, key=f"request:{row.pk}", matter=_MATTERS[kind],
    )  # fmt: skip
    row.effect_id = posted.effect_id or None


def _settle(row: ParcelRequest, state: RequestState, by: Actor, at: datetime, now: datetime, words: str) -> None:
    row.state = parcel_requests.becomes(RequestState(row.state), state).value
    row.result_by, row.result_at = by.name[:80], at
    row.result_words = _sealed(row.shop_id, words, _place(row.case_id, "result", at))
    row.save(update_fields=["state", "result_by", "result_at", "result_words"])
    said = {"request": row.kind, "number": row.parcel.number}
    kind = f"request_{row.state}"
    cases.log(shop_id=row.shop_id, case_id=row.case_id, kind=kind, by=by, now=now, data=said, words=words.strip())
    audit.record(row.shop_id, by.ref, f"request.{row.state}", f"case:{row.case_id}", said)
    if row.kind == RequestKind.INTERCEPT and state is RequestState.DONE and not row.is_wished:
        telling.tell(shop_id=row.shop_id, parcel_id=row.parcel_id, fact=Fact.RECALLED, at=at, by=SYSTEM, now=now)


def _view(row: ParcelRequest) -> RequestView:
    return RequestView(
        request_id=row.pk,
        parcel_id=row.parcel_id,
        number=row.parcel.number,
        kind=row.kind,
        way=row.way,
        state=row.state,
        is_wished=row.is_wished,
        penalty_fen=row.penalty_fen,
        until=row.until,
        ticket=row.ticket,
        effect_id=row.effect_id,
        by=row.by,
        asked_at=row.asked_at,
        result_by=row.result_by,
        result_at=row.result_at,
        words=_opened(row.shop_id, bytes(row.words), _place(row.case_id, "words", row.asked_at)),
        result_words=_opened(
            row.shop_id, bytes(row.result_words), _place(row.case_id, "result", row.result_at or row.asked_at)
        ),
    )


def _place(case_id: int, what: str, at: datetime) -> str:
    return f"negotiations_parcelrequest.{what}:{case_id}.{at.astimezone(UTC).isoformat()}"


def _sealed(shop_id: int, words: str, where: str) -> bytes:
    text = words.strip()[:1_000]
    return seal(shop_id, text.encode(), where=where) if text else b""


def _opened(shop_id: int, sealed: bytes, where: str) -> str:
    return unseal(shop_id, sealed, where=where).decode() if sealed else ""
