"""How carriers keep their word, counted from what was sent and what was decided: facts, no marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Min

from bufa.apps.negotiations.models import CarrierAnswer, CarrierMessage, Consent
from bufa.domain.parcels import ParcelState
from bufa.domain.rulebook import SHOP_ZONE
from bufa.lib.tenancy import reading

DAYS = 90
MOST = 5_000


@dataclass(frozen=True, slots=True)
class Score:
    """One carrier in the last `DAYS`. `answer_hours`: the middle time from a round's first mail to its answer, None
    without any; `promises`: days that it promised and that have passed, `kept`: those on which the parcel was there."""

    asked: int = 0
    answered: int = 0
    answer_hours: float | None = None
    promises: int = 0
    kept: int = 0


def scores(shops: Sequence[int], now: datetime) -> dict[str, Score]:
    """Carrier → its facts; three queries."""
    since = now - timedelta(days=DAYS)
    with reading(shops):
        sent = CarrierMessage.objects.filter(shop_id__in=shops, direction="out", sent_at__gte=since)
        first = list(
            sent.values_list("case_id", "round", "case__parcel__carrier").annotate(at=Min("sent_at")).order_by()[:MOST]
        )
        said = Consent.objects.filter(shop_id__in=shops, recorded_at__gte=since).exclude(result="overridden")
        answers = {
            (case_id, round_): at
            for case_id, round_, at in said.values_list("case_id", "round").annotate(at=Min("recorded_at")).order_by()
        }
        promised = CarrierAnswer.objects.filter(
            shop_id__in=shops, at__gte=since, state="accepted", said__has_key="promise_on"
        ).values_list("case__parcel__carrier", "said", "case__parcel__state")[:MOST]
        days = [(carrier, str(told["promise_on"]), state) for carrier, told, state in promised]
    hours: dict[str, list[float]] = {}
    asked: dict[str, int] = {}
    for case_id, round_, carrier, at in first:
        asked[carrier] = asked.get(carrier, 0) + 1
        answered = answers.get((case_id, round_))
        if answered is not None and answered >= at:
            hours.setdefault(carrier, []).append((answered - at).total_seconds() / 3600)
    today = now.astimezone(SHOP_ZONE).date().isoformat()
    past: dict[str, list[bool]] = {}
    for carrier, day, state in days:
        if day < today:
            there = ParcelState.from_json(state).delivered_at
            past.setdefault(carrier, []).append(
                there is not None and there.astimezone(SHOP_ZONE).date().isoformat() <= day
            )
    return {
        carrier: Score(
            asked.get(carrier, 0),
            len(hours.get(carrier, ())),
            round(median(hours[carrier]), 1) if carrier in hours else None,
            len(past.get(carrier, ())),
            sum(past.get(carrier, ())),
        )
        for carrier in {*asked, *past}
    }
