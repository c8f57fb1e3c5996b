"""Carriers' answers in chat groups: what is said is read for the right waybill; what is not plain is left."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.carrier_answers import Taken, take_apart
from tests.domain.chats import own, unseen

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


def told(taken: Taken) -> dict[str, unseen.Said]:
    return {
        one.number: (one.said.consent, one.said.claim, one.said.promise_on, one.said.amount_fen)
        for one in taken.answers
    }


@pytest.mark.parametrize("style", sorted(own.STYLES))
def test_the_styles_that_it_was_written_with(style: str) -> None:
    text, expected = own.STYLES[style]
    assert told(take_apart(text, own.KNOWN, NOW)) == expected


def test_of_unseen_styles_nine_in_ten_are_read_and_none_wrongly() -> None:
    right, wrong, every = 0, [], 0
    for style, (text, expected) in unseen.STYLES.items():
        found = told(take_apart(text, unseen.KNOWN, NOW))
        every += len(expected)
        right += sum(found.get(number) == said for number, said in expected.items())
        for number, said in found.items():
            meant = expected.get(number, (None, None, None, None))
            if any(got is not None and got != want for got, want in zip(said, meant, strict=True)):
                wrong.append((style, number, said, meant))
    assert wrong == []
    assert every == 44
    assert right >= 0.9 * every, f"{right} of {every}"


@given(st.text(max_size=400), st.lists(st.sampled_from(unseen.KNOWN), max_size=4))
def test_whatever_is_pasted_is_about_parcels_that_we_asked_about(text: str, numbers: list[str]) -> None:
    taken = take_apart("\n".join([*numbers, text]), unseen.KNOWN, NOW)
    assert {one.number for one in taken.answers} <= set(unseen.KNOWN)
    assert not {one.number for one in taken.answers} & set(taken.unread)


@given(st.permutations(own.STYLES["plain lines"][0].split("\n")))
def test_the_order_of_lines_changes_nothing(lines: list[str]) -> None:
    assert told(take_apart("\n".join(lines), own.KNOWN, NOW)) == own.STYLES["plain lines"][1]


@pytest.mark.parametrize(
    "text",
    [
        "{n} 如果丢失，同意补发",
        "{n} 能补发吗？",
        "{n} 是否丢失",
        "{n} 请提供价值证明，48小时内答复",
        "{n} 同意补发\n{n} 不同意补发",
        "{n} 丢了，又找到了",
        "{n} 赔30，不对，赔50",
        "{n} 运费8元",
        "{n} 赔3倍运费",
    ],
)
def test_what_is_not_plain_is_left(text: str) -> None:
    number = unseen.KNOWN[0]
    taken = take_apart(text.replace("{n}", number), [number], NOW)
    for one in taken.answers:
        assert one.said.consent is None
        assert one.said.amount_fen is None
        assert one.said.claim is None


def test_an_answer_in_a_thread_is_about_its_parcel_and_quotes_are_nobodys() -> None:
    number = unseen.KNOWN[0]
    text = "已丢失，同意补发\n\n-----原始邮件-----\n请核实，不同意补发"
    taken = take_apart(text, [number], NOW, about=number)
    assert told(taken)[number][:2] == (True, "lost")
    other = take_apart("7399999999999 已丢失", [number], NOW, about=number)
    assert (other.answers, other.unknown) == ((), ("7399999999999",))


def test_a_tail_that_two_parcels_share_is_nobodys() -> None:
    taken = take_apart("尾号0101 丢了", ["73100000000101", "75100000000101"], NOW)
    assert taken == Taken((), (), ())
