"""Changes outside: wanted, tried, settled. No other code writes these rows.

The order that makes "once, or known to be unknown" true: the intent is committed with the decision that wants it; the
attempt is committed before the first byte leaves; the raw answer is kept before anybody acts on it; every finish is
fenced by attempt number and state, so a worker that was thought dead can't speak up later. Leases and delays go by
the database's real clock; what people see (asked_at, settled_at, attempts) by the shop's clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, connection, transaction

from bufa.apps.effects import pace
from bufa.apps.effects.models import Attempt, Effect, EffectState
from bufa.apps.shops import queries as shops
from bufa.domain.effects import (
    GRACE,
    LEASE,
    MOST_LOOKS,
    Result,
    asks_a_person,
    next_read,
    retry_after,
    shown_intent,
    shown_to_a_person,
)
from bufa.domain.outcome import Refused
from bufa.lib import clock
from bufa.lib.crypto import seal, unseal
from bufa.lib.keyset import starts
from bufa.lib.queue import hint
from bufa.lib.tenancy import for_shops, writing

RUN = "effects.run"


@dataclass(frozen=True, slots=True)
class Begun:
    """One attempt that may now be made. `intent` is plain: keep it out of logs."""

    shop_id: int
    effect_id: int
    attempt: int
    kind: str
    key: str
    subject: str
    request_id: str
    intent: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settled:
    """An effect whose state has just changed: what its owner has to be told."""

    shop_id: int
    effect_id: int
    kind: str
    subject: str
    state: str
    needs_person: bool = False
    outcome: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""

    @property
    def owner(self) -> tuple[str, int]:
        """`("reissue", 12)` from the subject `reissue:12`."""
        name, _, number = self.subject.partition(":")
        return name, int(number)


def real_now() -> datetime:
    """The database's wall clock; read once per batch."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchall()[0][0]
    return now


def want(
    *,
    shop_id: int,
    kind: str,
    key: str,
    subject: str,
    intent: Mapping[str, Any],
    by: str,
    lane: str = "",
    delay: timedelta = timedelta(0),
) -> int:
    """Write down one change that we want outside and return its id; the same key always names the same effect.

    `intent` is JSON and may hold buyers' data: it is sealed. `lane` lets one effect at a time through. `delay` is
    real time in which it can still be cancelled.
    """
    with writing([shop_id]):
        known = Effect.objects.filter(shop_id=shop_id, key=key).values_list("id", flat=True).first()
        if known is not None:
            return known
        sealed = seal(shop_id, json.dumps(intent, ensure_ascii=False).encode(), where=_intent_at(key))
        try:
            with transaction.atomic():
                effect = Effect.objects.create(
                    shop_id=shop_id,
                    kind=kind,
                    key=key,
                    lane=lane,
                    subject=subject,
                    intent=sealed,
                    next_at=real_now() + delay,
                    asked_by=by,
                    asked_at=clock.now(),
                )
        except IntegrityError:
            # Two asked at once and the other committed first.
            return Effect.objects.values_list("id", flat=True).get(shop_id=shop_id, key=key)
        if not delay:
            hint(RUN, once=f"{RUN}:{shop_id}", shop_id=shop_id)
        return effect.pk


def cancel(*, shop_id: int, effect_id: int, by: str) -> bool:
    """Take an effect back before it is sent. False when it has left already."""
    with writing([shop_id]):
        now = clock.now()
        changed = Effect.objects.filter(shop_id=shop_id, id=effect_id, state=EffectState.READY, attempt=0).update(
            state=EffectState.CANCELLED, settled_at=now, settled_by=by, next_at=None, needs_person=False
        )
        return changed == 1


def begin(*, shop_id: int, effect_id: int) -> Begun | None:
    """Start one attempt and commit it, so that the call can be made. None: not its turn, or someone else has it.

    Call it outside of any transaction: the attempt must be durable before the first byte leaves.
    """
    if connection.in_atomic_block and not _in_a_test():
        raise RuntimeError("an attempt must be committed before its call: begin() inside a transaction is a mistake")
    try:
        with writing([shop_id]):
            return _begin(shop_id, effect_id)
    except IntegrityError:
        # The lane was taken between our look and our write; the database let only one through.
        return None


def _begin(shop_id: int, effect_id: int) -> Begun | None:
    effect = Effect.objects.select_for_update().filter(shop_id=shop_id, id=effect_id).first()
    now = real_now()
    if effect is None or effect.state != EffectState.READY or (effect.next_at is not None and effect.next_at > now):
        return None
    if (effect.lane and _lane_is_taken(effect)) or shops.is_paused(shop_id):
        return None
    free_at = pace.take_turn(shop_id, effect.kind, now)
    if free_at is not None:
        # The platform asked for less haste; the sweep comes back to it.
        effect.next_at = free_at
        effect.save(update_fields=["next_at"])
        return None
    intent = read_intent(shop_id, effect.key, effect.intent)
    effect.attempt += 1
    effect.state = EffectState.SENDING
    effect.lease_until = now + LEASE
    effect.next_at = now + LEASE + GRACE
    effect.save(update_fields=["attempt", "state", "lease_until", "next_at"])
    request_id = str(uuid4())
    Attempt.objects.create(
        shop_id=shop_id,
        effect=effect,
        number=effect.attempt,
        request_id=request_id,
        request={"kind": effect.kind, "key": effect.key} | shown_intent(effect.kind, intent),
        started_at=clock.now(),
    )
    return Begun(
        shop_id=shop_id,
        effect_id=effect.pk,
        attempt=effect.attempt,
        kind=effect.kind,
        key=effect.key,
        subject=effect.subject,
        request_id=request_id,
        intent=intent,
    )


def _lane_is_taken(effect: Effect) -> bool:
    lane = Effect.objects.filter(shop_id=effect.shop_id, lane=effect.lane).exclude(id=effect.pk)
    busy = lane.filter(state__in=[EffectState.SENDING, EffectState.UNKNOWN])
    earlier = lane.filter(state=EffectState.READY, id__lt=effect.pk)
    return busy.exists() or earlier.exists()


def keep_answer(*, shop_id: int, effect_id: int, attempt: int, raw: bytes) -> None:
    """Keep the raw answer, sealed, in a transaction of its own, before anybody acts on it."""
    with for_shops([shop_id]):
        sealed = seal(shop_id, raw, where=_answer_at(effect_id, attempt))
        Attempt.objects.filter(shop_id=shop_id, effect_id=effect_id, number=attempt).update(answer=sealed)


def finish(
    *,
    shop_id: int,
    effect_id: int,
    attempt: int,
    result: Result,
    outcome: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    wait: timedelta | None = None,
) -> Settled | None:
    """End the attempt that `begin` started. None: it no longer is the running one (rescued, or ended before), and
    nothing was written. The caller tells the owner in the same transaction."""
    with writing([shop_id]):
        now, real = clock.now(), real_now()
        changes: dict[str, Any] = {"lease_until": None, "error": dict(error or {})}
        kind = Effect.objects.filter(shop_id=shop_id, id=effect_id).values_list("kind", flat=True).first() or ""
        if result in (Result.ACCEPTED, Result.REJECTED):
            changes |= {
                "state": EffectState(str(result)),
                "outcome": dict(outcome or {}),
                "next_at": None,
                "needs_person": False,
                "settled_at": now,
                "settled_by": "answer",
            }
        elif result is Result.UNKNOWN:
            changes |= _unknown(kind, real)
        else:
            changes |= {
                "state": EffectState.READY,
                "next_at": real + retry_after(attempt, wait),
                "needs_person": shown_to_a_person(attempt) and asks_a_person(kind),
            }
        fence = Effect.objects.filter(shop_id=shop_id, id=effect_id, attempt=attempt, state=EffectState.SENDING)
        if fence.update(**changes) != 1:
            return None
        pace.learn(shop_id, kind, result, error or {}, real, wait)
        Attempt.objects.filter(shop_id=shop_id, effect_id=effect_id, number=attempt).update(
            finished_at=now, result=str(result), error=dict(error or {})
        )
        return _settled(Effect.objects.get(shop_id=shop_id, id=effect_id))


def _unknown(kind: str, real: datetime) -> dict[str, Any]:
    pause = next_read(kind, 0)
    return {
        "state": EffectState.UNKNOWN,
        "lease_until": None,
        "reads": 0,
        "next_at": None if pause is None else real + pause,
        "needs_person": pause is None and asks_a_person(kind),
    }


def rescue(*, shop_id: int, real: datetime | None = None) -> list[Settled]:
    """Call unknown what was being sent when its worker vanished. Never back to ready: it may have arrived."""
    with writing([shop_id]):
        real = real or real_now()
        lost = Effect.objects.filter(shop_id=shop_id, state=EffectState.SENDING, lease_until__lt=real - GRACE)
        rescued = []
        for effect_id, attempt, kind in list(lost.order_by("id").values_list("id", "attempt", "kind")):
            fence = Effect.objects.filter(shop_id=shop_id, id=effect_id, attempt=attempt, state=EffectState.SENDING)
            error = {"code": "worker_lost"}
            if fence.update(error=error, **_unknown(kind, real)) != 1:
                continue
            Attempt.objects.filter(shop_id=shop_id, effect_id=effect_id, number=attempt).update(
                finished_at=clock.now(), result=str(Result.UNKNOWN), error=error
            )
            rescued.append(_settled(Effect.objects.get(shop_id=shop_id, id=effect_id)))
        return rescued


def read_back_first(*, shop_id: int) -> list[Settled]:
    """Call unknown whatever waits to be sent or was being sent: these rows came out of a backup, and the world may have
    got it since. Read-back settles what can be read, a person the rest; none is sent by itself."""
    with writing([shop_id]):
        real = real_now()
        waiting = Effect.objects.select_for_update().filter(
            shop_id=shop_id, state__in=[EffectState.READY, EffectState.SENDING]
        )
        doubted = []
        for effect in waiting.order_by("id"):
            for name, value in _unknown(effect.kind, real).items():
                setattr(effect, name, value)
            effect.error = {"why": "restored"}
            try:
                with transaction.atomic():
                    effect.save()
            except IntegrityError:
                _refuse_restored(effect)
            doubted.append(_settled(effect))
        return doubted


def _refuse_restored(effect: Effect) -> None:
    """Its lane holds an unknown one already, and two can't be read back at once: whoever wanted it asks again."""
    effect.state, effect.next_at, effect.lease_until, effect.needs_person = EffectState.REJECTED, None, None, False
    effect.settled_at, effect.settled_by = clock.now(), "restore"
    effect.save()


def still_unknown(*, shop_id: int, effect_id: int, error: Mapping[str, Any] | None = None) -> Settled | None:
    """A read-back that did not settle it: read again later, or show it to a person. None: settled meanwhile."""
    with writing([shop_id]):
        effect = Effect.objects.select_for_update().filter(shop_id=shop_id, id=effect_id).first()
        if effect is None or effect.state != EffectState.UNKNOWN:
            return None
        effect.reads += 1
        pause = next_read(effect.kind, effect.reads)
        effect.next_at = None if pause is None else real_now() + pause
        effect.needs_person = pause is None and asks_a_person(effect.kind)
        _look(effect, None, error)
        if error:
            effect.error = dict(error)
        effect.save(update_fields=["reads", "next_at", "needs_person", "error", "looks"])
        return _settled(effect)


def settle(
    *,
    shop_id: int,
    effect_id: int,
    result: Result,
    by: str,
    outcome: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
) -> Settled:
    """Say what became of an unknown effect: `by` is `read_back` or the person.

    Raises Refused `effect_not_unknown` when it is not unknown (any more).
    """
    if result not in (Result.ACCEPTED, Result.REJECTED):
        raise ValueError(f"an effect is settled as accepted or rejected, not {result}")
    with writing([shop_id]):
        unknown = Effect.objects.select_for_update().filter(shop_id=shop_id, id=effect_id, state=EffectState.UNKNOWN)
        effect = unknown.first()
        if effect is None:
            raise Refused("effect_not_unknown")
        effect.state = EffectState(str(result))
        effect.outcome, effect.error = dict(outcome or {}), dict(error or {})
        effect.next_at = effect.lease_until = None
        effect.needs_person = False
        effect.settled_at, effect.settled_by = clock.now(), by
        if by == "read_back":
            effect.reads += 1
            _look(effect, result, error)
        effect.save()
        return _settled(effect)


def _look(effect: Effect, found: Result | None, error: Mapping[str, Any] | None) -> None:
    """Note a read-back on the row: when, what it found ("" nothing yet), and what stood in its way."""
    said = {name: str((error or {}).get(name, "")) for name in ("why", "text", "sub_code")}
    look = {"at": clock.now().isoformat(), "found": str(found) if found else "", **{k: v for k, v in said.items() if v}}
    effect.looks = [*effect.looks, look][-MOST_LOOKS:]


def read_intent(shop_id: int, key: str, sealed: bytes | memoryview) -> dict[str, Any]:
    """The plain intent: for the moment of sending or reading back only."""
    plain: dict[str, Any] = json.loads(unseal(shop_id, sealed, where=_intent_at(key)))
    return plain


def intent_of(shop_id: int, effect_id: int, *names: str) -> list[Any]:
    """These fields of an effect's plain intent, for its owner."""
    with for_shops([shop_id]):
        effect = Effect.objects.get(shop_id=shop_id, id=effect_id)
        intent = read_intent(shop_id, effect.key, effect.intent)
        return [intent.get(name, "") for name in names]


def key_exists(shop_id: int, start: str) -> bool:
    """Whether an effect with a key that starts so was ever wanted."""
    with for_shops([shop_id]):
        return Effect.objects.filter(starts("key", start), shop_id=shop_id).exists()


def _settled(effect: Effect) -> Settled:
    return Settled(
        shop_id=effect.shop_id,
        effect_id=effect.pk,
        kind=effect.kind,
        subject=effect.subject,
        state=effect.state,
        needs_person=effect.needs_person,
        outcome=effect.outcome,
        error=effect.error,
        by=effect.settled_by,
    )


def _intent_at(key: str) -> str:
    # The row has no number yet when it is sealed; its key is as unique and never changes.
    return f"effects_effect.intent:{key}"


def _answer_at(effect_id: int, attempt: int) -> str:
    return f"effects_attempt.answer:{effect_id}.{attempt}"


def _in_a_test() -> bool:
    """Django's TestCase wraps each test in a transaction of its own."""
    return any(getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)
