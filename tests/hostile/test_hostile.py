"""Strangers' mails and posts: nothing executed, nothing acted on, no error 500, and memory stays where it was.

Short here: each once. `make hostile` sends all of them over and over and says what memory did.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case, CaseFile, Statement
from bufa.apps.effects.models import Effect
from bufa.apps.negotiations import links
from bufa.apps.negotiations import mails as kept
from bufa.apps.negotiations.models import CarrierAnswer, CarrierLink, Consent, IncomingMail
from bufa.domain.kinds import Role
from bufa.jobs import mailbox
from bufa.lib.tenancy import for_shops
from tests import proofs
from tests.factories import make_shop
from tests.factories.sample import PASSWORD, Sample
from tests.hostile.mails import mails
from tests.hostile.posts import MARK, Post, posts

AGENT = Actor(7, "林", Role.AGENT)
ROUNDS = 8 if os.environ.get("BUFA_TEST_CRASH_ALL") else 1
FINE = {303, 400, 403, 404, 405, 413, 422}
EXECUTABLE = (
    "<script>alert",
    "<img src=x",
    "<svg onload",
    "<iframe src",
    "<object data",
    "<body onload",
    "<base href='//",
)
FLAT_KIB = 24 * 1024
"""What the allocator may keep after the first rounds; a leak of one photo a round would be more."""


HOSTILE_MAILS, HOSTILE_POSTS = list(mails()), list(posts())
"""Made before a database listens: bombs take their time to be packed."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Refusals are told in the log; a thousand of them are no help, and pytest keeps each with its request in hand."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def resident() -> int:
    """What this process holds, in KiB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def stand(shop_id: int) -> list[object]:
    """All that an acted-on answer would move."""
    with for_shops([shop_id]):
        cases = list(Case.objects.order_by("id").values_list("id", "state", "version", "facts"))
        return [*cases, Consent.objects.count(), Statement.objects.count(), Effect.objects.count()]


def look(sample: Sample, *addresses: str) -> int:
    """How often something of it stands on a page as markup."""
    client, found = signed_in(sample), 0
    for address in (
        *addresses,
        "/carriers/",
        "/carriers/zhongtong/",
        f"/cases/{sample.shop_id}/{sample.cases['asking']}/",
    ):
        page = client.get(address)
        assert page.status_code == 200, address
        found += sum(page.content.decode().count(markup) for markup in EXECUTABLE)
    return found


def signed_in(sample: Sample) -> Client:
    client = Client()
    client.post("/sign-in/", {"username": sample.people["owner"], "password": PASSWORD})
    return client


def rounds(sample: Sample, once: Callable[[], int]) -> dict[str, int]:
    """Do it `ROUNDS` times; how many there were, and by how much memory grew once it had been done three times."""
    before, sent, held = stand(sample.shop_id), 0, []
    for _ in range(ROUNDS):
        sent += once()
        held.append(resident())
    assert stand(sample.shop_id) == before
    grown = held[-1] - held[min(2, len(held) - 1)]
    assert grown < FLAT_KIB, held
    return {"rounds": ROUNDS, "sent": sent, "grown_kib": max(0, grown)}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_a_hundred_hostile_mails(sample: Sample) -> None:
    hostile = HOSTILE_MAILS
    assert len(hostile) >= 100

    def once() -> int:
        for raw in hostile:
            mailbox.take(sample.shop_id, raw, "mx.shop.example")
        return len(hostile)

    done = rounds(sample, once)
    with for_shops([sample.shop_id]):
        assert 60 <= IncomingMail.objects.count() <= len(hostile)
        assert IncomingMail.objects.filter(is_trusted=True).count() == 0
        assert CarrierAnswer.objects.filter(is_trusted=True).count() == 0
        acted = CarrierAnswer.objects.exclude(state__in=["open", "overtaken"]).count()
    executed = look(sample)
    assert (acted, executed) == (0, 0)
    proofs.count(mails=done["sent"], mails_acted_on=acted, mails_executed=executed, mails_grown_kib=done["grown_kib"])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_a_hundred_hostile_posts(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_ANSWERS", 100_000)
    hostile = HOSTILE_POSTS
    assert len(hostile) >= 100
    assert len({one.name for one in hostile}) == len(hostile)
    known = keys(sample)
    codes: dict[int, int] = {}

    def once() -> int:
        for one in hostile:
            for _ in range(one.times):
                code = send(one, known)
                assert code in FINE, (one.name, code)
                codes[code] = codes.get(code, 0) + 1
        return sum(one.times for one in hostile)

    done = rounds(sample, once)
    with for_shops([sample.shop_id]):
        acted = CarrierAnswer.objects.exclude(state__in=["open", "overtaken"]).count()
        answers = CarrierAnswer.objects.filter(source="link")
        assert answers.exclude(case_id=sample.ids["asking"]).count() == 0
        assert answers.filter(said__amount_fen=6000).count() == 1, "a replay is one answer"
        files = CaseFile.objects.all()
        assert files.exclude(media_type="image/jpeg").count() == 0
        assert files.exclude(case_id=sample.ids["asking"]).count() == 0
    executed = look(sample, f"/c/{known['token']}/")
    held = signed_in(sample)
    for file_id in file_ids(sample):
        answer = held.get(f"/cases/{sample.shop_id}/{sample.cases['asking']}/files/{file_id}/")
        assert answer["Content-Type"] == "image/jpeg"
        executed += MARK in b"".join(answer)  # type: ignore[arg-type]
    assert (acted, executed) == (0, 0)
    assert codes[303] >= 10, "some of it is an honest answer in odd clothes"
    proofs.count(posts=done["sent"], posts_acted_on=acted, posts_executed=executed, posts_grown_kib=done["grown_kib"],
                 errors_500=sum(many for code, many in codes.items() if code >= 500))  # fmt: skip


def keys(sample: Sample) -> dict[str, object]:
    """Addresses that hold, have ended, or are another shop's."""
    foreign, secret = make_shop("别家"), "s" * 32
    with for_shops([foreign]):  # another shop's address that names a case of ours
        CarrierLink.objects.create(
            shop_id=foreign, carrier="zhongtong", cases=[sample.ids["asking"]], by="x", at=sample.now,
            digest=hashlib.sha256(secret.encode()).hexdigest(), expires_at=sample.now + timedelta(days=9),
        )  # fmt: skip
    made = {"carrier": "zhongtong", "by": AGENT, "now": sample.now}
    token = links.make_link(shop_id=sample.shop_id, case_ids=[sample.ids["asking"]], **made)
    gone = links.make_link(
        shop_id=sample.shop_id, case_ids=[sample.ids["asking"]], **made | {"now": sample.now - timedelta(days=9)}
    )
    return {
        "token": token,
        "gone": gone,
        "foreign": f"{foreign}-{secret}",
        "short": token[:-1],
        "moved": f"{foreign}-{token.partition('-')[2]}",
        "case": sample.ids["asking"],
        "other": sample.ids["numbering"],
        "shop": sample.shop_id,
        "code": sample.cases["asking"],
    }


def send(one: Post, known: dict[str, object]) -> int:
    client = Client(enforce_csrf_checks=one.forged, raise_request_exception=True)
    answer = client.generic(one.method, one.path.format(**known), one.body, content_type=one.kind, **dict(one.heads))  # type: ignore[arg-type]
    if one.path.startswith("/cases/"):
        is_sent_away = answer.headers.get("Location", "").startswith("/sign-in/")
        assert is_sent_away or answer.status_code == 403, "the desk is closed to strangers"
        return 403
    return answer.status_code


def file_ids(sample: Sample) -> list[int]:
    with for_shops([sample.shop_id]):
        return list(CaseFile.objects.filter(case_id=sample.ids["asking"]).values_list("id", flat=True))


def test_mails_are_emptied_when_their_time_is_over(sample: Sample) -> None:
    hostile = [raw for raw in HOSTILE_MAILS if raw][:3]
    for raw in hostile:
        mailbox.take(sample.shop_id, raw, "")
    old = sample.now + timedelta(days=181)
    assert kept.forget_old(sample.shop_id, old) == 0  # their case is open
    with for_shops([sample.shop_id]):
        IncomingMail.objects.update(case=None, state="unplaced")
    assert kept.forget_old(sample.shop_id, sample.now + timedelta(days=179)) == 0
    assert kept.forget_old(sample.shop_id, old) == 3
    assert kept.forget_old(sample.shop_id, old) == 0
    assert {(one.sender, one.subject, one.text) for one in kept.unplaced([sample.shop_id])} == {("", "", "")}
