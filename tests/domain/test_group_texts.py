"""A text for a chat group says reason, evidence, ask, rule and deadline, by branch, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.carrier_messages import Ask
from bufa.domain.group_texts import ASKED, AskedParcel, fitting, write
from bufa.domain.notices import Language

DUE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SEEN = datetime(2026, 11, 17, 1, 30, tzinfo=UTC)


def parcel(
    number: str, place: str = "杭州九堡网点", ask: Ask = Ask.CONSENT, *, seen: datetime | None = SEEN
) -> AskedParcel:
    return AskedParcel(
        number, f"C-{number}", "1234", "快件疑似丢失", "it is probably lost", ask, place, None, seen,
        regulation="承运商应在 7 天内答复", regulation_en="The carrier has 7 days to answer",
    )  # fmt: skip


def test_in_chinese():
    told = write(
        [parcel("YT1"), parcel("YT2", seen=None), parcel("YT3", "武汉"), parcel("YT4", "武汉", Ask.LOCATE)], "青禾", DUE
    )
    assert told == (
        "青禾，共 4 票，请在 11-20 18:00 前按单号回复：\n"
        "\n【杭州九堡网点】请核实是否丢失，能否同意补发、赔付多少\n"
        "YT1 快件疑似丢失，最后轨迹 11-17 09:30\n"
        "YT2 快件疑似丢失，无轨迹\n"
        "\n【武汉】请核实是否丢失，能否同意补发、赔付多少\n"
        "YT3 快件疑似丢失，最后轨迹 11-17 09:30\n"
        "\n【武汉】请核实位置，预计哪天送达\n"
        "YT4 快件疑似丢失，最后轨迹 11-17 09:30\n"
        "\n依据：承运商应在 7 天内答复"
    )


def test_in_english():
    told = write([parcel("YT1")], "Qinghe", DUE, Language.EN, head="")
    assert told == (
        "Qinghe: 1 parcels, please answer by waybill before 11-20 18:00:\n"
        "\n[杭州九堡网点] please check whether it is lost, and agree to a reissue and to what you pay\n"
        "YT1 it is probably lost, last scan 11-17 09:30\n"
        "\nUnder: The carrier has 7 days to answer"
    )


def test_of_no_parcel_nothing_is_said_and_each_ask_has_its_words():
    assert write([], "青禾", DUE) == ""
    assert set(ASKED) == set(Ask)


@given(
    st.lists(st.tuples(st.sampled_from(["九堡", "武汉", ""]), st.sampled_from(list(Ask))), max_size=60),
    st.integers(200, 3_000),
)
def test_parts_hold_each_parcel_once_and_fit(rows, most):
    parcels = [parcel(f"YT{at:013d}", place, ask) for at, (place, ask) in enumerate(rows)]

    def text_of(some):
        return write(some, "青禾", DUE)

    parts = fitting(parcels, most, text_of)
    assert sorted(one.number for part in parts for one in part) == sorted(one.number for one in parcels)
    assert all(len(part) == 1 or len(text_of(part).encode()) <= most for part in parts)
    if len(text_of(parcels).encode()) <= most and parcels:
        assert len(parts) == 1
