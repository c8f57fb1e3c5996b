"""Taught readings are laid over merged scans: order, repeats and the moment of teaching change nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.kinds import Kind, Reason
from bufa.domain.outcome import Refused
from bufa.domain.parcels import Scan, fold, merge, same_scan_key
from bufa.domain.reading import TEXT, read, template_id, template_of, to_scan
from bufa.domain.teaching import Template, apply, meaning, reread, untaught

T0 = datetime(2026, 11, 2, 2, tzinfo=UTC)
ODD = "【临海市】件号7712号笼已转乙区,经手人:王强,13912345678"
KEY = template_id(template_of(ODD))
HELD = {KEY: meaning("held", "missort")}
TEXTS = (
    ODD,
    "【椒江区】件号15号笼已转乙区,经手人:李四,15812345678",
    "【临海市】催件3次,工单99",
    "【临海市】快件已签收",
    "【临海市】快件已到达【台州转运中心】",
)


def said(text: str, minutes: int = 0, *, code: str = "", state: str = "", provider: str = "kuaidi100") -> Scan:
    at = T0 + timedelta(minutes=minutes)
    return to_scan(provider=provider, scanned_at=at, received_at=at, text=text, code=code, state=state)


messages = st.builds(
    said,
    st.sampled_from(TEXTS),
    st.integers(0, 3),
    code=st.sampled_from(["", "301", "1001"]),
    state=st.sampled_from(["", "0", "3"]),
    provider=st.sampled_from(["kuaidi100", "file"]),
)


@given(messages)
def test_what_is_laid_over_comes_off_again(scan: Scan) -> None:
    assert untaught(apply(scan, HELD)) == untaught(scan) == scan
    assert reread(apply(scan, HELD), {}) == scan
    assert reread(scan, HELD) == reread(reread(scan, HELD), HELD)


@given(st.lists(messages, max_size=6))
def test_taught_late_is_taught_early(told: list[Scan]) -> None:
    merged: dict[object, Scan] = {}
    taught_early: dict[object, Scan] = {}
    for scan in told:
        key = same_scan_key(scan)
        merged[key] = merge(merged[key], scan) if key in merged else scan
        there = taught_early.get(key)
        taught_early[key] = apply(merge(untaught(there), scan) if there else scan, HELD)
    late = [reread(scan, HELD) for scan in merged.values()]
    assert fold(late) == fold(taught_early.values())
    assert [reread(scan, {}) for scan in late] == list(merged.values())


def test_a_state_that_was_told_later_is_kept_when_the_reading_is_taken_back() -> None:
    silent, spoken = said(ODD), said(ODD, state="3")
    for order in permutations([silent, spoken]):
        both = merge(*order)
        assert both.kind is Kind.DELIVERED
        assert apply(both, HELD) == both
    taught = apply(silent, HELD)
    assert (taught.kind, taught.reason, taught.fineness) == (Kind.HELD, Reason.MISSORT, TEXT)
    assert merge(untaught(taught), spoken).kind is Kind.DELIVERED


def test_a_single_message_reads_as_the_reader_has_it() -> None:
    for text in TEXTS:
        by_reader = read(provider="file", text=text, templates={template_of(ODD): HELD[KEY]})
        assert apply(said(text, provider="file"), HELD).kind is by_reader.kind


@pytest.mark.parametrize(
    ("kind", "reason", "code"),
    [
        ("unmapped", "", "template_kind_unknown"),
        ("Held", "", "template_kind_unknown"),
        ("held", "bad", "template_reason_unknown"),
        ("delivered", "missort", "template_reason_unfit"),
    ],
)
def test_what_can_not_be_meant(kind: str, reason: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        meaning(kind, reason)
    assert refused.value.why.code == code


def test_a_sample_names_nobody() -> None:
    shown = Template.of(said(ODD).text)
    assert shown.key == KEY
    assert shown.sample.startswith("【临海市】件号#号笼已转乙区")
    assert not set("王强") & set(shown.sample)
    assert not any(sign.isdigit() for sign in shown.sample)
