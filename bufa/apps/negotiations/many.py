"""One question about many parcels: one message to one contact, each case waits for the answer by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from bufa.apps.cases import actions as cases
from bufa.apps.cases import many as many_cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.effects.queries import ids_of
from bufa.apps.negotiations import asking, carrier_cases, posting, robots, rounds, rules
from bufa.apps.negotiations.models import CarrierContact, CarrierMessage
from bufa.apps.negotiations.posting import About
from bufa.apps.shops import queries as shops
from bufa.domain import group_texts
from bufa.domain.carrier_messages import Mail, minute, one_line
from bufa.domain.cases import Action
from bufa.domain.cases import EffectKind as Wanted
from bufa.domain.chasing import LEVELS, Level, Rung
from bufa.domain.group_texts import AskedParcel
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.domain.personal import strip_personal
from bufa.lib.tenancy import reading, writing

MOST = 200
LETTER_BYTES = 60_000
HEAD_BYTES = 40
"""What is left free of a robot's text, for line ends and counts that differ between parts."""


@dataclass(frozen=True, slots=True)
class Done:
    """`done`: cases that were asked about. `refused`: (case, why). `messages`: how many left."""

    done: tuple[int, ...]
    refused: tuple[tuple[int, Refused], ...]
    messages: int
    effects: tuple[int, ...]


def ask(
    *,
    shop_id: int,
    case_ids: Sequence[int],
    contact_id: int,
    by: Actor,
    due: datetime,
    now: datetime,
    key: str = "",
    extra: str = "",
    language: Language = Language.ZH,
    rung: Rung | None = None,
    delay: timedelta = timedelta(0),
) -> Done:
    """Ask one contact about these cases in one message (several, where a robot's text is full). `key` makes it one
    however often it is pressed.

    Raises Refused when nothing of it could be done: no_such_contact, answer_due_is_past, too_many_asked (most),
    no_mail_sender, robot_is_off, contact_bounced, not_allowed. What one case refuses is in `refused`.
    """
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    if due <= now:
        raise Refused("answer_due_is_past", answer_due=due.isoformat())
    if len(case_ids) > MOST:
        raise Refused("too_many_asked", most=MOST)
    extra = strip_personal(extra.strip())[:1000]
    with writing([shop_id]):
        to = posting.contact(shop_id, contact_id)
        posting.check_reach(shop_id, to)
        if key and (again := _already(shop_id, key)) is not None:
            return again
        about: dict[str, About] = {}
        refused: list[tuple[int, Refused]] = []
        parcels = {one.case_code: one for one in asking.parcels_of(shop_id, case_ids, rules.of_shop(shop_id))}
        newest = many_cases.newest_parcels(shop_id, case_ids)
        rows = cases_by_id([shop_id], list(case_ids))
        for case_id in case_ids:
            if case_id not in rows or rows[case_id].code not in parcels:
                refused.append((case_id, Refused("no_waybill_to_ask")))
                continue
            try:
                with transaction.atomic():
                    about[rows[case_id].code] = _wait(shop_id, case_id, newest[case_id], to, by, due, now, rung)
            except Refused as why:
                refused.append((case_id, why))
        effects: list[int] = []
        inside = [one for code, one in parcels.items() if code in about]
        head = head_of(rung)
        parts = group_texts.fitting(inside, _room(to), lambda some: _text(shop_id, some, due, language, head))
        for number, part in enumerate(parts, start=1):
            mail = letter(shop_id, part, due, extra, language, head)
            posted = posting.post(
                shop_id=shop_id, to=to, about=[about[one.case_code] for one in part], mail=mail, due=due, by=by,
                now=now, key=f"{key}:{number}" if key else "", rung=rung.value if rung else "", delay=delay,
                reference=f"m{part[0].case_code}",
            )  # fmt: skip
            effects += [posted.effect_id] if posted.effect_id else []
        done = [one.case_id for one in about.values()]
        carrier_cases.refresh(shop_id=shop_id, case_ids=done, now=now)
        return Done(tuple(done), tuple(refused), len(parts), tuple(effects))


def letter(
    shop_id: int,
    parcels: Sequence[AskedParcel],
    due: datetime,
    extra: str = "",
    language: Language = Language.ZH,
    head: str = "",
) -> Mail:
    """The message as it would leave now: for the preview, and for sending."""
    text = _text(shop_id, parcels, due, language, head)
    text = f"{text}\n\n{extra.strip()}" if extra.strip() else text
    count, until = len(parcels), minute(due)
    places = {one.place for one in parcels if one.place}
    where = next(iter(places)) + " " if len(places) == 1 else ""
    if language is Language.ZH:
        subject = f"{head}{where}{count} 票快件待核实，请于 {until} 前回复"
    else:
        subject = f"{head}{where}{count} parcels to check, please answer by {until}"
    return Mail(one_line(subject), text + "\n")


def take_back(*, shop_id: int, effect_id: int, by: Actor, now: datetime) -> bool:
    """Take a message back before it leaves; its cases wait no more for what it asked. False when it has left."""
    with writing([shop_id]):
        rows = CarrierMessage.objects.filter(shop_id=shop_id, effect_id=effect_id)
        ids = list(rows.values_list("case_id", flat=True))
        if not rounds.take_back(shop_id=shop_id, effect_id=effect_id, by=by):
            return False
        for case_id in ids:
            before = CarrierMessage.objects.filter(shop_id=shop_id, case_id=case_id, direction="out")
            last = before.exclude(state__in=["cancelled", "failed"]).order_by("-at", "-id").first()
            told = {"asked_at": last.at.isoformat() if last else "", "due": ""}
            if last is not None and last.answer_by is not None:
                told["due"] = last.answer_by.isoformat()
            rounds.forget_one(shop_id=shop_id, case_id=case_id, before=told, by=by, now=now)
        return True


def purpose_of(shop_id: int, case_id: int, round_: int, to: CarrierContact) -> str:
    """The first question of a round, a reminder, or one over somebody's head."""
    sent = CarrierMessage.objects.filter(shop_id=shop_id, case_id=case_id, round=round_, direction="out")
    sent = sent.exclude(state__in=["cancelled", "failed"]).filter(purpose__in=["ask_consent", "remind", "escalate"])
    levels = [LEVELS.index(Level(level)) for level in sent.values_list("contact__level", flat=True) if level]
    if not levels:
        return "ask_consent"
    return "escalate" if LEVELS.index(Level(to.level)) > max(levels) else "remind"


def _wait(
    shop_id: int,
    case_id: int,
    parcel_id: int,
    to: CarrierContact,
    by: Actor,
    due: datetime,
    now: datetime,
    rung: Rung | None,
) -> About:
    posting.refuse_second_today(shop_id, to.pk, parcel_id, now)
    acted = cases.act(
        shop_id=shop_id, case_id=case_id, action=Action.ASK_CARRIER, by=by, now=now,
        carries_out=frozenset({Wanted.SEND_CARRIER_MAIL}), answer_due=due,
    )  # fmt: skip
    return About(case_id, acted.code, parcel_id, acted.round, purpose_of(shop_id, case_id, acted.round, to))


def _already(shop_id: int, key: str) -> Done | None:
    effects = ids_of(shop_id, f"{key}:")
    with reading([shop_id]):
        if not effects:
            return None
        rows = CarrierMessage.objects.filter(shop_id=shop_id, effect_id__in=effects)
        done = tuple(rows.order_by("id").values_list("case_id", flat=True))
        return Done(done, (), len(effects), effects)


def _text(shop_id: int, parcels: Sequence[AskedParcel], due: datetime, language: Language, head: str) -> str:
    return group_texts.write(parcels, shops.shop(shop_id).name, due, language, head=head)


def head_of(rung: Rung | None) -> str:
    """What a message of the ladder begins with."""
    match rung:
        case None | Rung.ASK:
            return ""
        case Rung.REMIND:
            return "【催办】"
        case _:
            return "【升级】"


def _room(to: CarrierContact) -> int:
    return robots.most_bytes(to.robot.kind) - HEAD_BYTES if to.robot is not None else LETTER_BYTES
