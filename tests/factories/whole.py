"""What only pages of their own show, beside the sample: for tests that look at every page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bufa.apps.cases import penalties
from bufa.apps.cases import queries as cases
from bufa.apps.cases import runs as case_runs
from bufa.apps.cases.incident_views import open_incidents
from bufa.apps.claims import deductions
from bufa.apps.claims import queries as claims
from bufa.apps.negotiations import links
from bufa.apps.notices import links as pages
from bufa.apps.reissues import bulk, hand_over
from bufa.apps.reissues import queries as reissues
from bufa.apps.reissues.bulk_check import SheetRow
from bufa.domain.many import ManyAct
from bufa.domain.penalties import Penalty
from bufa.jobs import claims as claim_jobs
from bufa.jobs import incidents as incident_jobs
from tests.factories.sample import Sample


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
    with_deductions(sample)
    incident_jobs.regroup([sample.shop_id], sample.now)
    (incident,) = open_incidents([sample.shop_id])
    sample.incident = incident.code
    claim_jobs.watch([sample.shop_id], sample.now)
    sample.ids["claim"] = claims.of_case(sample.shop_id, sample.ids["asking"])[-1].claim_id


def with_deductions(sample: Sample) -> None:
    """One that can still be appealed, one whose days are over, one that fits no parcel."""
    (case,) = cases.cases_by_code([sample.shop_id], [sample.cases["following"]])
    days = {Penalty.TRACK_TIMEOUT: 2, Penalty.LATE: 9}
    notices = [
        penalties.WrittenNotice(case.order_number, "", kind, sample.now - timedelta(days=day), 2500)
        for kind, day in days.items()
    ]
    notices.append(replace(notices[0], order_number="6999999999999999"))
    penalties.take(shop_id=sample.shop_id, notices=notices, by=sample.actor(), now=sample.now)
    rows, _ = deductions.deductions([sample.shop_id], "open", sample.now)
    sample.ids["deduction"] = rows[0].notice_id
