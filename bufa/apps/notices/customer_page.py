"""The customer's page: what its address shows, and what is done with what they say there.

The address is a secret that anybody may have passed on: it shows what its holder must see and no more (masks, places,
goods, dates). What comes in is a dated statement of the customer; it wakes the case and decides nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, F

from bufa.apps.cases import actions as cases
from bufa.apps.cases import putting_off, telling
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.files import add_file
from bufa.apps.cases.models import Case, Finding
from bufa.apps.notices import knocks, links
from bufa.apps.notices.models import CustomerAnswer, CustomerLink
from bufa.apps.orders import address_changes
from bufa.apps.orders.views import LineView, order_view
from bufa.apps.parcels.views import ParcelView, parcel_views
from bufa.apps.shops import queries as shop_queries
from bufa.domain.cases import Action, CaseFacts, CaseState, Claim, Outcome
from bufa.domain.customer_says import TIMES, Answer, Meaning, meaning, offered
from bufa.domain.kinds import Kind, Measure, Stage
from bufa.domain.measures import Items
from bufa.domain.outcome import Refused
from bufa.domain.personal import strip_personal
from bufa.domain.rulebook import Fact
from bufa.domain.verdict import Source
from bufa.lib import images
from bufa.lib.tenancy import for_shops, reading, writing

WHO = Actor(None, "客户页面", None)
MOST_PHOTOS = 4
MOST_PHOTOS_OF_CASE = 12
MOST_WORDS = 300
MOST_VIEWS = 120
"""In `VIEW_WINDOW`, by one address: nobody looks so often, a script does."""
VIEW_WINDOW = timedelta(minutes=10)
PRESSED_TWICE = timedelta(minutes=10)
MOST_LINES = 40

_SHOWN = frozenset(
    {
        Kind.COLLECTED, Kind.ARRIVED_HUB, Kind.IN_TRANSIT, Kind.ARRIVED_DESTINATION, Kind.OUT_FOR_DELIVERY,
        Kind.ATTEMPT_FAILED, Kind.READY_FOR_PICKUP, Kind.DELIVERED, Kind.REFUSED, Kind.RETURNING, Kind.RETURNED,
        Kind.DAMAGED, Kind.HELD, Kind.INTERCEPTED, Kind.FORWARDED, Kind.CUSTOMS,
    }
)  # fmt: skip
_SETTLED = (Measure.REFUND, Measure.COMPENSATE)
_REMEMBERED = 6


@dataclass(frozen=True, slots=True)
class Box:
    """One parcel as the customer sees it. `nth`: 0 for the first parcel, 1 for the first reissue."""

    nth: int
    carrier: str
    number: str
    stage: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: to which parcel, what, in which place (its city), when."""

    at: datetime
    nth: int
    kind: str
    place: str


@dataclass(frozen=True, slots=True)
class Said:
    answer: str
    at: datetime
    stars: int | None


@dataclass(frozen=True, slots=True)
class Hint:
    """Where it goes, as far as its owner recognises it and nobody else learns it."""

    name: str = ""
    phone: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What a valid address shows. `claim`, `measure`, `outcome` are codes; `expected` a range of days, or None."""

    shop_id: int
    shop: str
    tint: str
    order_tail: str
    claim: str
    measure: str
    state: str
    outcome: str
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    items: tuple[LineView, ...]
    hint: Hint
    expected: tuple[datetime, datetime] | None
    is_late: bool
    offers: tuple[Answer, ...]
    may_rate: bool
    said: tuple[Said, ...]
    stars: int | None
    waits_for_word_until: datetime | None = None
    token: str = field(default="", repr=False)

    @property
    def newest(self) -> Box:
        return self.boxes[-1]


def open_page(token: str, now: datetime) -> Page | None:
    """What the address shows; None for one that never was, has expired or was taken back: a stranger learns nothing.

    Raises Refused too_many_tries.
    """
    shop_id = links.shop_of(token)
    if not shop_id:
        return None
    with for_shops([shop_id]):
        link = links.find(token, now)
        if link is None:
            return None
        knocks.knock(shop_id, f"view:{link.pk}", most=MOST_VIEWS, window=VIEW_WINDOW)
        CustomerLink.objects.filter(shop_id=shop_id, id=link.pk).update(opened=F("opened") + 1, opened_at=now)
        return _page(_current(link.case), token, now)


def answer(
    *,
    token: str,
    answer: Answer,
    now: datetime,
    words: str = "",
    items: Items = (),
    photos: Sequence[bytes] = (),
    stars: int | None = None,
) -> None:
    """Keep what the customer says through the page: a statement of the case, photos beside it, and the case awake.

    Raises Refused: page_gone, answer_not_offered, answer_too_often, stars_wrong, rated_before, items_not_ordered, and
    what a photo is refused for; nothing is kept then.
    """
    shop_id = links.shop_of(token)
    if not shop_id:
        raise Refused("page_gone")
    for photo in photos:
        _only_a_picture(photo)
    with writing([shop_id]):
        link = links.find(token, now)
        if link is None:
            raise Refused("page_gone")
        case = _current(link.case)
        page = _page(case, token, now)
        if answer not in page.offers and not (answer is Answer.RATED and page.may_rate):
            raise Refused("rated_before" if answer is Answer.RATED and page.stars else "answer_not_offered")
        record(case=case, link=link, answer=answer, words=words, items=items, photos=photos, stars=stars, now=now)


def record(
    *,
    case: Case,
    answer: Answer,
    now: datetime,
    link: CustomerLink | None = None,
    words: str = "",
    items: Items = (),
    photos: Sequence[bytes] = (),
    stars: int | None = None,
) -> None:
    """The answer in the case's books, inside the shop's turn to write. The same one, pressed twice, is one."""
    shop_id, words = case.shop_id, strip_personal(words.strip())[:MOST_WORDS]
    if answer is Answer.RATED and (stars is None or not 1 <= stars <= 5):
        raise Refused("stars_wrong")
    digest = _digest(answer, words, items, photos, stars)
    mine = CustomerAnswer.objects.filter(shop_id=shop_id, case=case)
    if mine.filter(digest=digest, at__gt=now - PRESSED_TWICE).exists():
        return
    lately = mine.filter(answer=answer.value, at__gt=now - timedelta(days=1)).count()
    if lately >= TIMES[answer]:
        raise Refused("answer_too_often")
    CustomerAnswer.objects.create(
        shop_id=shop_id,
        case=case,
        link=link,
        answer=answer.value,
        round=case.round,
        stars=stars if answer is Answer.RATED else None,
        digest=digest,
        at=now,
    )
    if answer is Answer.RATED:
        cases.log(shop_id=shop_id, case_id=case.pk, kind="customer_rated", by=WHO, now=now, data={"stars": stars})
        return
    facts, parcels, weighed = cases.about(shop_id=shop_id, case_id=case.pk)
    claim = facts.claim or (Claim(weighed) if weighed else None)
    box = parcel_views([shop_id], parcels[-1:])[parcels[-1]]
    meant = meaning(answer, Stage(box.stage), claim)
    _state(case, meant, words, items, photos, now)
    cases.act(shop_id=shop_id, case_id=case.pk, action=Action.CUSTOMER_SAID, by=WHO, now=now, answer=answer.value)
    _wake(case, meant, parcels, box, now)


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """How content customers were, of 5; `stars` None where nobody said."""

    stars: float | None
    said: int


def satisfaction(shops: Sequence[int], since: datetime, until: datetime) -> Satisfaction:
    with reading(shops):
        rows = CustomerAnswer.objects.filter(shop_id__in=shops, answer=Answer.RATED, at__gte=since, at__lt=until)
        found = list(rows.values_list("stars").annotate(said=Count("id")).order_by())
    said = sum(count for _, count in found)
    return Satisfaction(sum((stars or 0) * count for stars, count in found) / said if said else None, said)


def offers_to_answer(facts: CaseFacts, box: ParcelView) -> tuple[Answer, ...]:
    return offered(
        Stage(box.stage),
        is_closed=facts.state is CaseState.CLOSED,
        settled=facts.measure in _SETTLED,
        asks_address=not facts.reissue_is_live and facts.measure in (None, Measure.REISSUE),
    )


# --- inside ----------------------------------------------------------------------------------------------------------


def _current(case: Case) -> Case:
    """The open case of the same parcel, where the address was made for one that has been closed since."""
    if case.state != CaseState.CLOSED:
        return case
    others = Case.objects.filter(shop_id=case.shop_id, parcel_id=case.parcel_id).exclude(state=CaseState.CLOSED)
    return others.first() or case


def _page(case: Case, token: str, now: datetime) -> Page:
    shop_id = case.shop_id
    facts, ids, weighed = cases.about(shop_id=shop_id, case_id=case.pk)
    views = parcel_views([shop_id], ids, with_scans=True)
    boxes = [views[key] for key in ids if key in views]
    order = order_view(shop_id, case.order_id)
    if order is None:
        raise LookupError(f"case {case.code} has no order")
    told = list(CustomerAnswer.objects.filter(shop_id=shop_id, case=case).order_by("-id")[: _REMEMBERED * 3])
    rated = next((row.stars for row in told if row.answer == Answer.RATED), None)
    policy = shop_queries.policy_json(shop_id)
    arrived = boxes[-1].stage in (Stage.DELIVERED, Stage.READY_FOR_PICKUP)
    first = cases.kept_facts(shop_id=shop_id, case_id=case.pk).get("promise_from")
    until = facts.promise_at
    return Page(
        shop_id=shop_id,
        shop=shop_queries.shop(shop_id).name,
        tint=str(policy.get("tint", "")),
        order_tail=case.order.number[-4:],
        claim=facts.claim.value if facts.claim else weighed,
        measure=facts.measure.value if facts.measure else "",
        state=facts.state.value,
        outcome=facts.outcome.value if facts.outcome else "",
        boxes=tuple(Box(nth, box.carrier, box.number, box.stage) for nth, box in enumerate(boxes)),
        lines=_lines(boxes),
        items=order.lines,
        hint=_hint(shop_id, case.order_id, order.recipient),
        expected=(datetime.fromisoformat(first) if first else until, until) if until and not arrived else None,
        is_late=bool(until and until < now and not arrived),
        offers=offers_to_answer(facts, boxes[-1]),
        may_rate=rated is None and (facts.state is CaseState.CLOSED and facts.outcome is not Outcome.DISMISSED),
        said=tuple(Said(row.answer, row.at, row.stars) for row in told[:_REMEMBERED]),
        stars=rated,
        waits_for_word_until=_word_until(facts),
        token=token,
    )


def _word_until(facts: CaseFacts) -> datetime | None:
    if facts.signed_at is None or facts.proof_days is None or facts.state is CaseState.CLOSED:
        return None
    return facts.signed_at + timedelta(days=facts.proof_days)


def _lines(boxes: Sequence[ParcelView]) -> tuple[Line, ...]:
    """All parcels on one line of time, newest first. Carriers' own texts stay inside: they name people and branches."""
    found = [
        Line(scan.scanned_at, nth, scan.kind, scan.place)
        for nth, box in enumerate(boxes)
        for scan in box.scans
        if scan.usable and scan.kind in _SHOWN
    ]
    found.sort(key=lambda line: (line.at, line.nth), reverse=True)
    kept: list[Line] = []
    for line in found:
        same = kept and (kept[-1].nth, kept[-1].kind, kept[-1].place) == (line.nth, line.kind, line.place)
        if not same:
            kept.append(line)
    return tuple(kept[:MOST_LINES])


def _hint(shop_id: int, order_id: int, recipient: object) -> Hint:
    """Of the newest recorded change, else of the order: a mask of the person, the district, never the street."""
    changes = [one for one in address_changes.of_orders(shop_id, [order_id]).get(order_id, ()) if not one.taken_back]
    there = changes[-1] if changes else recipient
    province, city = getattr(there, "province", ""), getattr(there, "city", "")
    place = province + ("" if city == province else city) + getattr(there, "district", "")
    phone = getattr(there, "phone_mask", "")
    return Hint(getattr(there, "name_mask", "")[:1] + "**", "***" + phone[-2:] if phone[-2:].isdigit() else "", place)


def _state(case: Case, meant: Meaning, words: str, items: Items, photos: Sequence[bytes], now: datetime) -> None:
    if meant.claim is None:
        return
    statement_id = cases.add_statement(
        shop_id=case.shop_id,
        case_id=case.pk,
        source=Source.CUSTOMER,
        claim=meant.claim,
        words=words,
        said_at=now,
        by=WHO,
        items=items,
        wish=meant.wish,
        now=now,
    )
    there = case.files.filter(by=WHO.name).count()
    for photo in photos[: max(0, MOST_PHOTOS_OF_CASE - there)]:
        add_file(
            shop_id=case.shop_id, case_id=case.pk, name="customer.jpg", raw=photo, by=WHO,
            statement_id=statement_id, now=now,
        )  # fmt: skip


def _wake(case: Case, meant: Meaning, parcels: Sequence[int], box: ParcelView, now: datetime) -> None:
    """What was put off comes back; a signature that the customer contradicts is a finding of its own, on the first
    parcel. A reissue is left to people: its finding alone would already open the next round."""
    shop_id = case.shop_id
    if meant.wakes:
        put_off = Finding.objects.filter(shop_id=shop_id, parcel_id__in=parcels, state="snoozed").order_by("id")
        for finding_id in put_off.values_list("id", flat=True):
            putting_off.bring_back(shop_id=shop_id, finding_id=finding_id, by=WHO, now=now)
    if meant.claim is Claim.SIGNED_NOT_RECEIVED and len(parcels) == 1:
        telling.tell(shop_id=shop_id, parcel_id=box.parcel_id, fact=Fact.NOT_RECEIVED, at=now, by=WHO, now=now)
    elif meant.claim is Claim.DELIVERED and len(parcels) == 1:
        try:
            telling.withdraw(shop_id=shop_id, parcel_id=box.parcel_id, fact=Fact.NOT_RECEIVED, by=WHO, now=now)
        except Refused:
            return  # nobody had said so


def _digest(answer: Answer, words: str, items: Items, photos: Sequence[bytes], stars: int | None) -> str:
    told = [answer.value, words, [list(one) for one in items], stars]
    told += [hashlib.sha256(photo).hexdigest() for photo in photos]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:40]


def _only_a_picture(raw: bytes) -> None:
    try:
        images.clean(raw)
    except images.NotAnImage as error:
        raise Refused(error.why) from None
