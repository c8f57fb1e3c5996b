"""Deductions kept, placed and appealed; the evidence in one PDF; money back in the ledger."""

from __future__ import annotations

import io
from datetime import timedelta

import pypdfium2
import pytest
from PIL import Image

from bufa.apps.cases import penalties
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import TimelineEntry
from bufa.apps.cases.penalties import WrittenNotice
from bufa.apps.cases.taking_in import take_in
from bufa.apps.claims import appeals, deductions, packs
from bufa.apps.claims.appeals import Prepared
from bufa.apps.parcels.models import PenaltyNotice
from bufa.apps.parcels.views import parcel_views
from bufa.apps.shops import pauses
from bufa.domain.appeals import AppealAct
from bufa.domain.calendars import PauseCode
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.penalties import Penalty
from bufa.jobs import claims as claim_jobs
from bufa.lib.papers import Paper, papers_pdf
from bufa.lib.tenancy import for_shops
from tests.factories import make_line, make_order, make_package, make_shop
from tests.factories.sample import Sample
from tests.lib.test_papers import paper

FINANCE, AGENT, WAREHOUSE = Actor(9, "吴", Role.FINANCE), Actor(7, "林", Role.AGENT), Actor(6, "陈", Role.WAREHOUSE)


def taken(sample: Sample, name: str = "following", *, days: float = 2, fen: int | None = 2500) -> int:
    """A deduction on the original parcel of the named case; its notice's id."""
    number = parcel_of(sample, name)
    at = sample.now - timedelta(days=days)
    notice = WrittenNotice("", number, Penalty.TRACK_ABNORMAL, at, fen)
    done = penalties.take(shop_id=sample.shop_id, notices=[notice], by=AGENT, now=sample.now)
    assert done.parcels[0] is not None
    with for_shops([sample.shop_id]):
        return PenaltyNotice.objects.get(parcel_id=done.parcels[0], noticed_at=at).pk


def parcel_of(sample: Sample, name: str) -> str:
    with for_shops([sample.shop_id]):
        from bufa.apps.cases.models import Case

        return Case.objects.get(id=sample.ids[name]).parcel.number


def act(sample: Sample, notice_id: int, what: AppealAct, **more: object) -> appeals.Moved:
    given = {"by": FINANCE, "now": sample.now} | more
    return appeals.act(shop_id=sample.shop_id, notice_id=notice_id, act=what, **given)  # type: ignore[arg-type]


def test_from_the_notice_to_the_money_back(sample: Sample) -> None:
    shop, notice = sample.shop_id, taken(sample)
    [row] = deductions.due_soon([shop], sample.now)
    assert (row.notice_id, row.state, row.until, row.version) == (notice, "open", sample.now + timedelta(days=5), 0)
    said = Prepared("sent_again", "已补发并签收", "武汉市江夏区")
    act(sample, notice, AppealAct.PREPARE, prepared=said, version=0)
    with pytest.raises(Refused, match="appeal_changed"):
        act(sample, notice, AppealAct.PREPARE, prepared=said, version=0)
    act(sample, notice, AppealAct.SEND, at=sample.now - timedelta(hours=1), reference="AP-1", version=1)
    [sent] = deductions.deductions([shop], "sent", sample.now)[0]
    assert (sent.reference, sent.words, sent.area, sent.due is not None) == (
        "AP-1",
        "已补发并签收",
        "武汉市江夏区",
        True,
    )
    act(sample, notice, AppealAct.GRANT, amount_fen=2500)
    assert act(sample, notice, AppealAct.PAY_BACK, amount_fen=2500).back_fen == 2500
    [month] = deductions.ledger([shop], sample.now)
    assert (month.kind, month.count, month.taken_fen, month.sent, month.granted, month.back_fen, month.net_fen) == (
        "track_abnormal", 1, 2500, 1, 1, 2500, 0,
    )  # fmt: skip
    assert [one.act for one in deductions.entries(shop, notice)] == ["prepare", "send", "grant", "pay_back"]
    with for_shops([shop]):
        kinds = TimelineEntry.objects.filter(case_id=sample.ids["following"], kind__startswith="appeal_")
        assert sorted(kinds.values_list("kind", flat=True)) == ["appeal_back", "appeal_granted", "appeal_sent"]
    assert deductions.ledger([make_shop()], sample.now) == ()
    assert deductions.due_soon([shop], sample.now) == ()


def test_what_lapsed_is_said_until_somebody_lets_it_go(sample: Sample) -> None:
    notice = taken(sample, days=8)
    old = taken(sample, "telling", days=60)
    [row] = deductions.due_soon([sample.shop_id], sample.now)
    assert (row.notice_id, row.state) == (notice, "lapsed")
    counted = deductions.counted([sample.shop_id], sample.now)
    assert (counted.todo, counted.open, counted.taken_fen) == (1, 0, 2500)
    act(sample, notice, AppealAct.WAIVE, reason="证据不足")
    assert deductions.due_soon([sample.shop_id], sample.now) == ()
    assert {one.notice_id for one in deductions.deductions([sample.shop_id], "done", sample.now)[0]} == {notice, old}


def test_who_may_not_and_what_is_appealed_stays(sample: Sample) -> None:
    notice = taken(sample)
    with pytest.raises(Refused, match="not_allowed"):
        act(sample, notice, AppealAct.SEND, by=WAREHOUSE)
    act(sample, notice, AppealAct.WAIVE, reason="算了")
    with pytest.raises(Refused, match="penalty_is_appealed"):
        penalties.remove(shop_id=sample.shop_id, notice_id=notice, by=AGENT, now=sample.now)
    with pytest.raises(PenaltyNotice.DoesNotExist):
        appeals.act(shop_id=make_shop(), notice_id=notice, act=AppealAct.REOPEN, by=FINANCE, now=sample.now)


def test_what_fits_no_parcel_is_listed_until_its_order_comes(sample: Sample) -> None:
    shop, at = sample.shop_id, sample.now - timedelta(days=1)
    notices = [
        WrittenNotice("6911111111111111", "", Penalty.LATE, at, 300),
        WrittenNotice("", "73999999999", Penalty.FRAUD, at),
        WrittenNotice("", parcel_of(sample, "telling"), Penalty.TRACK_TIMEOUT, at, 500),
    ]
    done = penalties.take(shop_id=shop, notices=notices, by=AGENT, now=sample.now)
    assert (done.new, done.whys) == (3, ("order_unknown", "waybill_unknown", ""))
    assert penalties.take(shop_id=shop, notices=notices, by=AGENT, now=sample.now).new == 0
    late, fraud = sorted(deductions.unplaced([shop], sample.now), key=lambda one: one.kind, reverse=True)
    with pytest.raises(Refused, match="appeal_unplaced"):
        act(sample, late.notice_id, AppealAct.WAIVE, reason="x")
    assert claim_jobs.watch([shop], sample.now) >= 0
    assert len(deductions.unplaced([shop], sample.now)) == 2
    line = make_line("o-1")
    package = make_package("73555555555555", lines=[(line.line_id, 1)], shipped_at=at)
    take_in(shop_id=shop, orders=[make_order("6911111111111111", status=3, lines=[line], packages=[package])], now=at)
    claim_jobs.watch([shop], sample.now)
    [left] = deductions.unplaced([shop], sample.now)
    assert left.kind == "fraud"
    with pytest.raises(Refused, match="penalty_order_unknown"):
        penalties.place(shop_id=shop, notice_id=left.notice_id, text="nothing", by=AGENT, now=sample.now)
    penalties.place(shop_id=shop, notice_id=left.notice_id, text=" 73555555555555", by=AGENT, now=sample.now)
    assert deductions.unplaced([shop], sample.now) == ()
    rows, _ = deductions.deductions([shop], "open", sample.now)
    assert sorted((row.kind, row.number) for row in rows if row.number == "73555555555555") == [
        ("fraud", "73555555555555"), ("late_shipping", "73555555555555"),
    ]  # fmt: skip
    assert fraud.parcel_id is None


def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1200, 900), "green").save(out, "JPEG")
    return out.getvalue()


def test_the_pack_is_one_pdf_with_everything_in_it(sample: Sample) -> None:
    shop, notice = sample.shop_id, taken(sample)
    row = deductions.deduction(shop, notice, sample.now)
    assert row is not None
    assert packs.stand(shop, row, "force_majeure").missing == ("area", "span", "branch_paper", "words")
    day = sample.now.date()
    pauses.add(
        shop_id=shop,
        new=pauses.NewPause(PauseCode.FORCE_MAJEURE, "暴雪", day - timedelta(days=4), day, source="鄂应急 12 号"),
        by="t",
        now=sample.now,
    )
    words = Prepared("force_majeure", "因暴雪中断，已补发", "江夏区", sample.now - timedelta(days=4), sample.now)
    act(sample, notice, AppealAct.PREPARE, prepared=words)
    branch = papers_pdf([paper(), paper()])
    ids = {"shop_id": shop, "notice_id": notice, "by": FINANCE, "now": sample.now}
    packs.add_proof(**ids, proves="branch_paper", name="网点证明.pdf", raw=branch)
    packs.add_proof(**ids, proves="chats", name="聊天.png", raw=photo())
    packs.add_proof(**ids, proves="other", name="坏的.pdf", raw=b"%PDF-1.4 nothing")
    row = deductions.deduction(shop, notice, sample.now)
    assert row is not None
    stand = packs.stand(shop, row)
    assert stand.missing == ()
    assert [one.proves for one in stand.materials] == ["branch_paper", "chats", "other"]
    document = pypdfium2.PdfDocument(packs.pack(**ids))
    text = "".join(page.get_textpage().get_text_range() for page in document)
    for said in (
        "申诉材料", "物流轨迹异常", "¥25", "不可抗力", "江夏区", "因暴雪中断，已补发", "原件轨迹", "武汉转运中心",
        "补发件轨迹：圆通速递", "暴雪", "鄂应急 12 号", "网点证明", "放不进这份文件",
    ):  # fmt: skip
        assert said in text.replace("\r\n", ""), said
    assert len(document) >= 4
    assert row.order_number in text
    assert parcel_views([shop], [row.parcel_id or 0])[row.parcel_id or 0].number in text
    with pytest.raises(Refused, match="appeal_no_file"):
        packs.add_proof(**ids, proves="chats", file_id=10**9)
    assert isinstance(paper(), Paper)


def test_a_parcel_without_a_case_gets_one_with_its_first_proof(sample: Sample) -> None:
    shop = sample.shop_id
    with for_shops([shop]):
        from bufa.apps.parcels.models import Parcel

        number = Parcel.objects.filter(stage="collected").order_by("id").values_list("number", flat=True)[0]
    at = sample.now - timedelta(hours=1)
    penalties.take(shop_id=shop, notices=[WrittenNotice("", number, Penalty.LATE, at, 100)], by=AGENT, now=sample.now)
    [row] = [one for one in deductions.due_soon([shop], sample.now) if one.number == number]
    assert packs.stand(shop, row).case_id is None
    ids = {"shop_id": shop, "notice_id": row.notice_id, "by": FINANCE, "now": sample.now}
    packs.add_proof(**ids, proves="chats", name="a.jpg", raw=photo())
    stand = packs.stand(shop, row)
    assert stand.case_code
    assert [one.proves for one in stand.materials] == ["chats"]
