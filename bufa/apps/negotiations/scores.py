"""How carriers keep their word, counted from what was sent and what was decided: facts, no marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Min

from bufa.apps.negotiations.models import CarrierAnswer, CarrierMessage, Consent
from bufa.domain.parcels import ParcelState
from bufa.domain.rulebook import SHOP_ZONE
from bufa.domain.scorecards import Key, Level, key_of
from bufa.lib.tenancy import reading

DAYS = 90
MOST = 5_000
_ENDS = ("carrier", "place", "origin_province", "dest_province")


@dataclass(frozen=True, slots=True)
class Score:
    """One carrier, branch or route in the last `DAYS`. `answer_hours`: the middle time from a round's first mail to its
    answer, None without any; `promises`: days that were promised and have passed, `kept`: those on which the parcel
    was there."""

    asked: int = 0
    answered: int = 0
    answer_hours: float | None = None
    promises: int = 0
    kept: int = 0


def scores(shops: Sequence[int], now: datetime) -> dict[str, Score]:
    """Carrier → its facts; three queries."""
    return {carrier: score for (carrier, _), score in by_level(shops, now, (Level.CARRIER,))[Level.CARRIER].items()}


def by_level(
    shops: Sequence[int], now: datetime, levels: Sequence[Level] = tuple(Level)
) -> dict[Level, dict[Key, Score]]:
    """The facts of each level that is asked for; three queries for all of them."""
    since = now - timedelta(days=DAYS)
    with reading(shops):
        sent = CarrierMessage.objects.filter(shop_id__in=shops, direction="out", sent_at__gte=since)
        first = list(
            sent.values_list("case_id", "round", *(f"case__parcel__{name}" for name in _ENDS))
            .annotate(at=Min("sent_at"))
            .order_by()[:MOST]
        )
        said = Consent.objects.filter(shop_id__in=shops, recorded_at__gte=since).exclude(result="overridden")
        answers = {
            (case_id, round_): at
            for case_id, round_, at in said.values_list("case_id", "round").annotate(at=Min("recorded_at")).order_by()
        }
        promised = list(
            CarrierAnswer.objects.filter(
                shop_id__in=shops, at__gte=since, state="accepted", said__has_key="promise_on"
            ).values_list("said", "case__parcel__state", *(f"case__parcel__{name}" for name in _ENDS))[:MOST]
        )
    asked = [(ends, at, answers.get((case_id, round_))) for case_id, round_, *ends, at in first]
    today = now.astimezone(SHOP_ZONE).date().isoformat()
    kept = [(ends, _was_there(state, str(told["promise_on"]))) for told, state, *ends in promised
            if str(told["promise_on"]) < today]  # fmt: skip
    return {level: _scores(level, asked, kept) for level in levels}


def _was_there(state: Any, day: str) -> bool:
    there = ParcelState.from_json(state).delivered_at
    return there is not None and there.astimezone(SHOP_ZONE).date().isoformat() <= day


def _scores(
    level: Level,
    asked: Sequence[tuple[Sequence[str], datetime, datetime | None]],
    kept: Sequence[tuple[Sequence[str], bool]],
) -> dict[Key, Score]:
    times: dict[Key, list[float | None]] = {}
    words: dict[Key, list[bool]] = {}
    for ends, at, answered in asked:
        if (key := key_of(level, *ends)) is not None:
            in_time = answered is not None and answered >= at
            hours = (answered - at).total_seconds() / 3600 if in_time and answered else None
            times.setdefault(key, []).append(hours)
    for ends, was_kept in kept:
        if (key := key_of(level, *ends)) is not None:
            words.setdefault(key, []).append(was_kept)
    return {key: _score(times.get(key, ()), words.get(key, ())) for key in {*times, *words}}


def _score(times: Sequence[float | None], words: Sequence[bool]) -> Score:
    hours = [one for one in times if one is not None]
    return Score(len(times), len(hours), round(median(hours), 1) if hours else None, len(words), sum(words))
