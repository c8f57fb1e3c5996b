"""What only pages of their own show, beside the sample: for tests that look at every page."""

from __future__ import annotations

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
    incident_jobs.regroup([sample.shop_id], sample.now)
    (incident,) = open_incidents([sample.shop_id])
    sample.incident = incident.code
    claim_jobs.watch([sample.shop_id], sample.now)
    sample.ids["claim"] = claims.of_case(sample.shop_id, sample.ids["asking"])[-1].claim_id
