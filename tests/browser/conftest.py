"""A real Chromium beside a live server that serves the sample shop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from bufa.apps.cases import runs as case_runs
from bufa.apps.cases.incident_views import open_incidents
from bufa.apps.claims import queries as claims
from bufa.apps.negotiations import links
from bufa.apps.notices import links as pages
from bufa.apps.reissues import bulk, hand_over
from bufa.apps.reissues import queries as reissues
from bufa.apps.reissues.bulk_check import SheetRow
from bufa.domain.many import ManyAct
from bufa.jobs import claims as claim_jobs
from bufa.jobs import incidents as incident_jobs
from bufa.web.watcher import watcher
from tests.factories import NOW
from tests.factories.sample import Sample, make_sample


@pytest.fixture
def at_noon() -> Iterator[None]:
    """The wall clock of this process, the live server included, stands at the sample's now."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture(autouse=True)
def lines_end(request: pytest.FixtureRequest) -> Iterator[None]:
    """Streams of open pages end before the shop is swept away."""
    if "transactional_db" in request.fixturenames:
        request.getfixturevalue("transactional_db")
    yield
    if "chromium" in request.fixturenames:
        for context in request.getfixturevalue("chromium").contexts:
            context.close()
    watcher.close()


@pytest.fixture
def sample(transactional_db: None, at_noon: None) -> Sample:
    made = make_sample()
    with_more(made)
    return made


def with_more(sample: Sample) -> None:
    """What only pages of their own show: a sheet that was looked through, and an effect that left."""
    rows = [SheetRow(2, sample.cases["numbering"], "yuantong", "YT8888000000001"), SheetRow(3, "C-none", "", "1")]
    sample.ids["run"] = bulk.look_through(
        shop_id=sample.shop_id, key="matrix", name="补发.csv", rows=rows, by=sample.actor()
    )
    (sent,) = reissues.of_case(sample.shop_id, sample.ids["telling"])
    sample.ids["effect"] = sent.effect_id or 0
    case_runs.look_through(
        shop_id=sample.shop_id,
        key="a" * 32,
        act=ManyAct.ASSIGN,
        params={"owner": sample.owner_id},
        words="",
        case_ids=[sample.ids["fresh"], sample.ids["closed"]],
        by=sample.actor(),
        now=sample.now,
    )
    sample.link = links.make_link(
        shop_id=sample.shop_id, carrier="zhongtong", case_ids=[sample.ids["asking"]], by=sample.actor(), now=sample.now
    )
    for name, case in (("page", "following"), ("early_page", "fresh")):
        path = pages.keep(shop_id=sample.shop_id, case_id=sample.ids[case], now=sample.now)
        setattr(sample, name, path.split("/")[2])
    sample.ids["list"] = hand_over.open_list(shop_id=sample.shop_id, carrier="yuantong", by=sample.actor())
    incident_jobs.regroup([sample.shop_id], sample.now)
    (incident,) = open_incidents([sample.shop_id])
    sample.incident = incident.code
    claim_jobs.watch([sample.shop_id], sample.now)
    sample.ids["claim"] = claims.of_case(sample.shop_id, sample.ids["asking"])[-1].claim_id
