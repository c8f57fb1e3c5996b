"""What operators teach: one reading for all texts of a template."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.kinds import Kind, Reason
from bufa.domain.reading import TEXT, Reading, read, template_id, template_of, to_scan

ODD = "【临海市】件号7712号笼已转乙区,经手人:王强,13912345678"
TAUGHT = Reading(Kind.HELD, Reason.MISSORT, "", TEXT)


@pytest.mark.parametrize(
    "same",
    [
        "【椒江区】件号15号笼已转乙区,经手人:李四,15812345678",
        "【椒江区】件号15号笼已转乙区，经手人：李四，15812345678",
        "[黄岩]  件号1号笼已转乙区,经手人:赵六,13012345678",
    ],
)
def test_texts_of_one_template(same: str) -> None:
    assert template_of(same) == template_of(ODD)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("到达广州转运中心 批次A12", "到达武汉转运中心 批次B7", True),
        ("约2026-11-05 10:00改走", "约2026-12-06 18:30改走", True),
        ("原因【联系不上客户】暂放", "原因【地址不详】暂放", False),
        ("放在【菜鸟驿站】了", "放在【杭州转运中心】了", False),
    ],
)
def test_what_is_cut_out_and_what_stays(one: str, other: str, alike: bool) -> None:
    assert (template_of(one) == template_of(other)) is alike


def test_a_template_names_nobody() -> None:
    template = template_of("【德阳】 的 王强(13912345678) 把件交给李四,尾号5678")
    assert not set("王强李四") & set(template)
    assert not any(sign.isdigit() for sign in template)


@given(st.text(alphabet="到达广州转运中心【】[]已发往离开:,。 ab12-:/派件员王五", max_size=40))
def test_a_template_is_its_own_template(text: str) -> None:
    assert template_of(template_of(text)) == template_of(text)


def test_taught_once_all_texts_of_it_are_read() -> None:
    assert read(provider="file", text=ODD).kind is Kind.UNMAPPED
    templates = {template_of(ODD): TAUGHT}
    other = "【椒江区】件号15号笼已转乙区,经手人:李四,15812345678"
    found = read(provider="kuaidi100", text=other, templates=templates)

    assert found == Reading(Kind.HELD, Reason.MISSORT, f"template:{template_id(template_of(ODD))}", TEXT)
    at = datetime(2026, 11, 2, 2, tzinfo=UTC)
    kept = to_scan(provider="file", scanned_at=at, received_at=at, text=other, templates=templates)
    assert (kept.kind, kept.reason, kept.fineness) == (Kind.HELD, Reason.MISSORT, TEXT)


def test_what_is_read_already_is_not_overruled_unless_forced() -> None:
    signed = "【临海市】快件已签收"
    templates = {template_of(signed): TAUGHT}

    assert read(provider="file", text=signed, templates=templates).kind is Kind.DELIVERED
    assert read(provider="file", text=signed, templates=templates, forced={template_of(signed)}).kind is Kind.HELD
    assert read(provider="kuaidi100", code="301", text=ODD, templates={template_of(ODD): TAUGHT}).kind is Kind.DELIVERED


def test_a_note_may_be_taught() -> None:
    note = "【临海市】催件3次,工单99"
    assert read(provider="file", text=note).kind is Kind.NOTE
    assert read(provider="file", text=note, templates={template_of(note): TAUGHT}).kind is Kind.HELD
