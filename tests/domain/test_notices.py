"""What customers and carriers are written: whole, in the right length, and only with what was given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.carrier_messages import Ask, CarrierLetter, write
from bufa.domain.notices import (
    SMS_CHANNELS,
    Channel,
    Language,
    Purpose,
    date_range,
    notice_key,
    render,
    segments,
    variables,
)
from bufa.domain.outcome import Refused

VALUES: dict[str, str | date | datetime] = {
    "shop": "青禾小店",
    "order_tail": "0042",
    "reason": "快件丢失",
    "measure": "补发",
    "reissue": "R7K4-29HX-R",
    "number": "78123456789012",
    "carrier": "中通快递",
    "eta_from": date(2026, 11, 26),
    "eta_to": date(2026, 11, 28),
}


def test_a_reissue_is_told_by_sms() -> None:
    told = render(Purpose.REISSUE_SENT, Channel.SMS, Language.ZH, VALUES)

    assert told.text == (
        "【青禾小店】您尾号0042的订单因快件丢失，已为您补发，补发单号R7K4-29HX-R：中通快递 78123456789012，"
        "预计11月26日至28日送达，非常抱歉。"
    )
    assert told.segments == 2
    assert told.subject == ""
    assert told.values == {
        "shop": "青禾小店",
        "order_tail": "0042",
        "reason": "快件丢失",
        "measure": "补发",
        "reissue": "R7K4-29HX-R",
        "carrier": "中通快递",
        "number": "78123456789012",
        "eta": "11月26日至28日",
    }


def test_a_reissue_is_told_by_email_and_phone() -> None:
    mail = render(
        Purpose.REISSUE_SENT, Channel.EMAIL, Language.EN, VALUES | {"reason": "lost", "measure": "sent again"}
    )
    call = render(Purpose.REISSUE_SENT, Channel.PHONE, Language.ZH, VALUES)

    assert mail.subject == "We have sent your order ending in 0042 again"
    assert "Expected Nov 26–28." in mail.text
    assert mail.text.endswith("青禾小店")
    assert (mail.segments, mail.script) == (0, ())
    assert call.script[0] == "您好，这里是青禾小店的客服。请问是收件人本人吗？"
    assert call.script[1] == call.text
    assert len(call.script) == 4


def test_a_link_comes_last() -> None:
    told = render(Purpose.ASK_OPEN_TICKET, Channel.SMS, Language.ZH, VALUES | {"link": "https://example.test/a"})

    assert told.text.endswith("发出。 https://example.test/a")


def test_missing_values_are_named() -> None:
    with pytest.raises(Refused) as caught:
        render(Purpose.REISSUE_SENT, Channel.SMS, Language.ZH, {"shop": "x", "order_tail": "0042", "number": ""})
    assert caught.value.why.code == "notice_values_missing"
    assert caught.value.why.params["names"] == [
        "reason",
        "measure",
        "reissue",
        "carrier",
        "number",
        "eta_from",
        "eta_to",
    ]


def test_the_shop_is_always_needed() -> None:
    for purpose in Purpose:
        with pytest.raises(Refused) as caught:
            render(purpose, Channel.SMS, Language.ZH, {})
        assert "shop" in caught.value.why.params["names"]


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("language", Language)
def test_every_text_is_filled_whole(purpose: Purpose, channel: Channel, language: Language) -> None:
    told = render(purpose, channel, language, VALUES)

    assert "{" not in told.text + told.subject + "".join(told.script)
    assert "0042" in told.text
    assert (channel in SMS_CHANNELS) == (told.segments > 0)
    assert told.segments <= 2 or language is Language.EN
    assert set(variables(purpose, language)) <= set(VALUES)
    assert set(variables(purpose, Language.ZH)) == set(variables(purpose, Language.EN))


@pytest.mark.parametrize(("length", "count"), [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)])
def test_sms_segments(length: int, count: int) -> None:
    assert segments("补" * length) == count


def test_signs_beyond_the_first_plane_count_twice() -> None:
    assert (segments("😀" * 35), segments("😀" * 36)) == (1, 2)


@pytest.mark.parametrize(
    ("first", "last", "chinese", "english"),
    [
        (date(2026, 11, 26), date(2026, 11, 28), "11月26日至28日", "Nov 26–28"),
        (date(2026, 11, 28), date(2026, 11, 26), "11月26日至28日", "Nov 26–28"),
        (date(2026, 11, 29), date(2026, 12, 2), "11月29日至12月2日", "Nov 29–Dec 2"),
        (date(2026, 12, 30), date(2027, 1, 2), "12月30日至2027年1月2日", "Dec 30–Jan 2"),
        (date(2026, 11, 26), date(2026, 11, 26), "11月26日", "Nov 26"),
    ],
)
def test_date_ranges(first: date, last: date, chinese: str, english: str) -> None:
    assert date_range(first, last, Language.ZH) == chinese
    assert date_range(first, last, Language.EN) == english


def test_instants_and_iso_days_become_shop_days() -> None:
    late_evening = datetime(2026, 11, 25, 17, tzinfo=UTC)
    told = render(
        Purpose.CHASE_UPDATE, Channel.SMS, Language.ZH, VALUES | {"eta_from": late_evening, "eta_to": "2026-11-26"}
    )

    assert told.values["eta"] == "11月26日"


def test_a_notice_is_unique_per_case_purpose_recipient_and_round() -> None:
    assert notice_key(7, Purpose.REISSUE_SENT, "recipient", 2) == "notice:7:2:reissue_sent:recipient"


LETTER = CarrierLetter(
    case_code="B7K4-2",
    shop="青禾小店",
    waybill="78123456789012",
    order_tail="0042",
    reason="72小时无轨迹更新",
    ask=Ask.CONSENT,
    answer_by=datetime(2026, 11, 25, 2, tzinfo=UTC),
    origin="浙江金华",
    destination="北京海淀",
    collected_at=datetime(2026, 11, 20, 2, tzinfo=UTC),
    contents="保温杯 ×1",
    value_fen=9900,
)


def test_a_letter_to_the_carrier() -> None:
    mail = write(LETTER)

    assert mail.subject == "运单 78123456789012 72小时无轨迹更新，请于 2026-11-25 10:00 前回复 [B7K4-2]"
    assert "揽收时间：2026-11-20 10:00\n最后轨迹时间：无记录\n内件：保温杯 ×1\n货值：¥99.00\n" in mail.body
    assert "同意我方补发" in mail.body


def test_a_reminder_in_english() -> None:
    mail = write(replace(LETTER, reminder=True, reason="lost"), Language.EN)

    assert mail.subject == "Reminder: waybill 78123456789012: lost, please answer by 2026-11-25 10:00 [B7K4-2]"
    assert "Last scan: none\n" in mail.body


@pytest.mark.parametrize("ask", Ask)
@pytest.mark.parametrize("language", Language)
def test_every_letter_can_be_written(ask: Ask, language: Language) -> None:
    mail = write(replace(LETTER, ask=ask), language)

    assert "B7K4-2" in mail.subject
    assert "78123456789012" in mail.body


def test_a_letter_that_nobody_could_act_on_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        write(replace(LETTER, waybill=" ", shop=""))
    assert caught.value.why.params == {"names": ["shop", "waybill"]}


@given(st.text(min_size=1).filter(lambda text: text.strip() != ""))
def test_no_text_breaks_out_of_the_subject(reason: str) -> None:
    subject = write(replace(LETTER, reason=reason)).subject

    assert len(subject.splitlines()) == 1
