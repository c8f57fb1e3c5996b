"""The sweep starts from the rows alone: with an empty queue, everything that is due is found again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from bufa.apps.cases import actions as cases
from bufa.apps.cases.models import Case, Finding
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import real_now
from bufa.apps.effects.models import Attempt, Effect
from bufa.apps.inbox import actions as inbox
from bufa.apps.inbox.models import Message
from bufa.apps.notices.models import Notice
from bufa.apps.parcels.models import Parcel
from bufa.apps.reissues.models import Reissue
from bufa.domain.cases import Action, Claim
from bufa.domain.kinds import Measure
from bufa.jobs import cases as case_jobs
from bufa.jobs import effects as effect_jobs
from bufa.jobs import sweep
from bufa.jobs.status import INVARIANTS, status
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, make_shop
from tests.factories.sample import Sample, make_sample
from tests.factories.shared import sample

__all__ = ["sample"]

Capture = Callable[..., AbstractContextManager[object]]
Committed = Callable[[Callable[[], int]], int]


@pytest.fixture
def commit(sample: Sample, django_capture_on_commit_callbacks: Capture) -> Committed:
    """Let a round of the sweep commit: that is when its hints are given."""

    def committed(work: Callable[[], int]) -> int:
        before = ProcrastinateJob.objects.count()
        with django_capture_on_commit_callbacks(execute=True):
            work()
        return ProcrastinateJob.objects.count() - before

    return committed


def waiting(task: str) -> list[dict[str, object]]:
    rows = ProcrastinateJob.objects.filter(task_name=task, status="todo").order_by("id")
    return list(rows.values_list("args", flat=True))


def test_effects_whose_job_was_lost_are_asked_for_again(sample: Sample, commit: Committed) -> None:
    with for_shops([sample.shop_id]):
        ready = set(Effect.objects.filter(state="ready", next_at__lte=real_now()).values_list("id", flat=True))
    assert ready
    commit(lambda: sweep.due_effects([sample.shop_id]))
    assert commit(lambda: sweep.due_effects([sample.shop_id])) == 0  # the same job waits already
    (asked,) = waiting(effects.RUN)
    assert (asked["shop_id"], set(asked["effect_ids"])) == (sample.shop_id, ready)  # type: ignore[call-overload]


def test_a_delayed_effect_is_left_alone_until_its_time(sample: Sample, commit: Committed) -> None:
    with for_shops([sample.shop_id]):
        delayed = Reissue.objects.get(case_id=sample.ids["submitting"]).effect_id
        Effect.objects.filter(id=delayed).update(next_at=real_now() + timedelta(minutes=1))
        commit(lambda: sweep.due_effects([sample.shop_id]))
        assert delayed not in waiting(effects.RUN)[0]["effect_ids"]  # type: ignore[operator]
        assert effects.begin(shop_id=sample.shop_id, effect_id=delayed or 0) is None
        Effect.objects.filter(id=delayed).update(next_at=real_now())
    ProcrastinateJob.objects.all()._raw_delete("default")
    commit(lambda: sweep.due_effects([sample.shop_id]))
    assert delayed in waiting(effects.RUN)[0]["effect_ids"]  # type: ignore[operator]


def test_unknown_effects_are_read_back_when_due(sample: Sample, commit: Committed) -> None:
    with for_shops([sample.shop_id]):
        unknown = Effect.objects.get(state="unknown")
        assert unknown.next_at is not None
        Effect.objects.filter(id=unknown.pk).update(next_at=real_now() + timedelta(minutes=1))
        commit(lambda: sweep.due_effects([sample.shop_id]))
        assert waiting(effect_jobs.READ_BACK) == []
        Effect.objects.filter(id=unknown.pk).update(next_at=real_now())
    commit(lambda: sweep.due_effects([sample.shop_id]))
    assert waiting(effect_jobs.READ_BACK) == [{"shop_id": sample.shop_id, "effect_ids": [unknown.pk]}]


def test_a_worker_that_vanished_leaves_unknown_never_ready(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        row = Reissue.objects.get(case_id=sample.ids["submitting"])
        Effect.objects.filter(id=row.effect_id).update(next_at=real_now())
        begun = effects.begin(shop_id=sample.shop_id, effect_id=row.effect_id or 0)
        assert begun is not None
        assert effect_jobs.rescue([sample.shop_id]) == 0  # its lease still runs
        long_ago = real_now() - timedelta(seconds=31)
        Effect.objects.filter(id=row.effect_id).update(lease_until=long_ago + timedelta(seconds=20))
        assert effect_jobs.rescue([sample.shop_id]) == 1
        assert effect_jobs.rescue([sample.shop_id]) == 0
        effect = Effect.objects.get(id=row.effect_id)
        assert (effect.state, effect.error, effect.attempt) == ("unknown", {"code": "worker_lost"}, 1)
        assert Attempt.objects.get(effect=effect).result == "unknown"
        assert Reissue.objects.get(id=row.pk).state == "unknown"
        assert Case.objects.get(id=sample.ids["submitting"]).next_action == "release_unknown"


def test_parcels_are_judged_when_their_time_comes(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        due = Parcel.objects.filter(next_deadline__isnull=False).order_by("next_deadline").last()
        assert due is not None
        assert due.next_deadline is not None
        known = Finding.objects.count()
    later = due.next_deadline
    with clock.frozen(later):
        assert sweep.due_parcels([sample.shop_id], later) > 0
        assert sweep.due_parcels([sample.shop_id], later) == 0
    with for_shops([sample.shop_id]):
        assert Finding.objects.count() > known
        assert not Parcel.objects.filter(next_deadline__lte=later).exists()


def test_waiting_ends_by_the_clock(sample: Sample) -> None:
    at = {"shop_id": sample.shop_id, "case_id": sample.ids["fresh"], "by": sample.actor()}
    until = sample.now + timedelta(hours=6)
    cases.act(**at, action=Action.CONFIRM_VERDICT, claim=Claim.STALLED)  # type: ignore[arg-type]
    cases.act(**at, action=Action.CHOOSE_MEASURE, measure=Measure.WAIT, until=until)  # type: ignore[arg-type]
    assert case_jobs.end_waits([sample.shop_id]) == 0
    with clock.frozen(until):
        assert case_jobs.end_waits([sample.shop_id]) == 1
    with for_shops([sample.shop_id]):
        case = Case.objects.get(id=sample.ids["fresh"])
        assert (case.state, case.measure, case.timeline.latest("id").kind) == ("determining", "", "wait_over")


def test_what_a_case_asked_for_is_done_though_its_job_was_lost(sample: Sample, commit: Committed) -> None:
    following = sample.ids["following"]
    cases.react(shop_id=sample.shop_id, case_id=following, event=Action.REISSUE_DELIVERED)
    ProcrastinateJob.objects.all()._raw_delete("default")
    assert commit(lambda: sweep.lost_todo([sample.shop_id])) == 1
    (asked,) = waiting(cases.CARRY_OUT)
    case_jobs.carry_out(**asked)  # type: ignore[arg-type]
    case_jobs.carry_out(**asked)  # type: ignore[arg-type]
    with for_shops([sample.shop_id]):
        assert Notice.objects.filter(case_id=following, purpose="reissue_delivered").count() == 1
        assert Reissue.objects.get(case_id=following).state == "delivered"
    assert sweep.lost_todo([sample.shop_id]) == 0


def test_one_round_over_all_shops(sample: Sample, commit: Committed) -> None:
    other = make_sample("别家店", prefix="x")
    assert commit(lambda: sweep.sweep_once(sample.now)) > 0
    shops = {args["shop_id"] for args in waiting(effects.RUN)}
    assert shops == {sample.shop_id, other.shop_id}


def test_jobs_carry_ids_only(sample: Sample, commit: Committed) -> None:
    assert commit(lambda: sweep.sweep_once(sample.now + timedelta(days=2))) > 0
    for args in ProcrastinateJob.objects.values_list("args", flat=True):
        assert all(isinstance(value, int | list) for value in args.values()), args


# --- status ----------------------------------------------------------------------------------------------------------


def test_status_counts_and_finds_nothing_wrong(sample: Sample) -> None:
    report = status([sample.shop_id])
    assert report["cases_by_step"] == {"determine": 1, "follow": 1, "negotiate": 1, "notify": 1, "number": 3}
    assert report["reissues"] == {"accepted": 2, "submitting": 1, "unknown": 1}
    assert report["effects"] == {
        "carrier_mail.ready": 1,
        "extra_package.accepted": 2,
        "extra_package.ready": 1,
        "extra_package.unknown": 1,
    }
    assert report["totals"]["cases"] == 8
    assert report["violations"] == []
    assert status([])["totals"] == {"orders": 0, "parcels": 0, "scans": 0, "cases": 0}


@pytest.mark.parametrize(
    ("invariant", "broken_by"),
    [
        ("accepted_reissue_has_its_parcel", "UPDATE reissues_reissue SET parcel_id = NULL WHERE state = 'accepted'"),
        (
            "submitting_reissue_has_its_effect",
            "UPDATE reissues_reissue SET effect_id = NULL WHERE state = 'submitting'",
        ),
        ("accepted_effect_has_an_attempt_or_a_person", "DELETE FROM effects_attempt"),
    ],
)
def test_a_broken_invariant_is_named(sample: Sample, invariant: str, broken_by: str) -> None:
    assert invariant in INVARIANTS
    with for_shops([sample.shop_id]), connection.cursor() as cursor:
        cursor.execute(broken_by)
    found = [one["invariant"] for one in status([sample.shop_id])["violations"]]
    assert invariant in found


def kept(shop_id: int) -> list[str]:
    with for_shops([shop_id]):
        return sorted(Message.objects.filter(shop_id=shop_id).values_list("external_id", flat=True))


@pytest.mark.django_db
def test_handled_messages_are_deleted_when_their_time_is_over() -> None:
    shop = make_shop()
    messages = [inbox.Raw("kdniao", "push", name, b"{}", NOW) for name in ("handled", "waiting")]
    assert inbox.keep_all(shop, messages, call=False) == 2
    with for_shops([shop]):
        handled = Message.objects.get(shop_id=shop, external_id="handled").pk
    inbox.done(shop, [handled], outcome="taken_in", now=NOW)
    sweep.purge_inbox(NOW + inbox.RETENTION)  # the shared sample's messages are of other days: only ours are counted
    assert kept(shop) == ["handled", "waiting"]
    sweep.purge_inbox(NOW + inbox.RETENTION + timedelta(seconds=1))
    assert kept(shop) == ["waiting"]
