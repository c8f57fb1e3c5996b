"""The shop's own texts: checked, filled in one pass, never run; values that mean harm do none."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bufa.domain.notice_wording import KNOWN, clean, fill, for_vendor, names, parameters, problems, wants_out
from bufa.domain.notices import SMS_CHANNELS, Channel, Language, Purpose, Wording, render, segments
from bufa.domain.outcome import Refused
from tests.domain.test_notices import VALUES

OWN = Wording("{shop}提醒：尾号{order_tail}因{reason}，补发{carrier}{number}，{eta}到。详情{link}", "订单{order_tail}")


def codes(text: str, subject: str = "", **how: bool) -> list[str]:
    told = {"is_sms": True, "is_voice": False} | how
    return [why.code for why in problems(text, subject, **told)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("您尾号{order_tail}的订单", []),
        ("  ", ["wording_empty"]),
        ("{oder_tail}", ["wording_unknown_name"]),
        ("{shop.__class__}", ["wording_unknown_name"]),
        ("{0}", ["wording_unknown_name"]),
        ("{shop!r:>99}", ["wording_unknown_name"]),
        ("{}", ["wording_unknown_name"]),
        ("{shop", ["wording_brackets"]),
        ("{{shop}}", ["wording_brackets"]),
        ("}", ["wording_brackets"]),
        ("【别的店】您好", ["wording_signature"]),
        ("您好\x00", ["wording_control"]),
        ("长" * 501, ["wording_too_long"]),
    ],
)
def test_what_a_text_may_be(text: str, found: list[str]) -> None:
    assert codes(text) == found


def test_subjects_and_spoken_texts() -> None:
    assert codes("您好", "第一行\n第二行", is_sms=False) == ["wording_subject"]
    assert codes("您好", "{nobody}", is_sms=False) == ["wording_unknown_name"]
    assert codes("看 {link}", is_sms=False, is_voice=True) == ["wording_address_spoken"]
    assert codes("看 https://x.example", is_sms=False, is_voice=True) == ["wording_address_spoken"]
    assert [why.params for why in problems("{reason}", "", is_sms=True, is_voice=False, needs=["number"])] == [
        {"names": ["number"]}
    ]


def test_vendors_want_their_own_names() -> None:
    text = "尾号{order_tail}因{reason}，{order_tail}补发{number}"
    assert for_vendor(text, by_position=False) == "尾号${order_tail}因${reason}，${order_tail}补发${number}"
    assert for_vendor(text, by_position=True) == "尾号{1}因{2}，{1}补发{3}"
    assert parameters(text, {"reason": "丢失", "order_tail": "42"}) == (
        ("order_tail", "42"),
        ("reason", "丢失"),
        ("number", ""),
    )


def test_the_shops_own_text_on_every_channel() -> None:
    given_link = {**VALUES, "link": "https://s.example/m/1-abc/", "sign": "青禾"}
    sms = render(Purpose.REISSUE_SENT, Channel.ALIYUN_SMS, Language.ZH, given_link, OWN)
    assert sms.text == (
        "【青禾】青禾小店提醒：尾号0042因快件丢失，补发中通快递78123456789012，11月26日至28日到。"
        "详情https://s.example/m/1-abc/"
    )
    assert sms.segments == segments(sms.text) == 2
    assert "link" not in sms.values
    spoken = render(Purpose.REISSUE_SENT, Channel.VOICE, Language.ZH, given_link, OWN)
    assert "https" not in spoken.text
    mail = render(Purpose.REISSUE_SENT, Channel.EMAIL, Language.ZH, given_link, OWN)
    assert (mail.subject, mail.segments) == ("订单0042", 0)
    assert mail.text.count("https://s.example/m/1-abc/") == 1
    without = render(Purpose.REISSUE_SENT, Channel.SITE, Language.ZH, VALUES, OWN)
    assert without.text.endswith("详情")
    trade = render(Purpose.REISSUE_SENT, Channel.SITE, Language.ZH, given_link)
    assert trade.text.endswith(" https://s.example/m/1-abc/")


def test_a_text_says_which_values_it_misses() -> None:
    with pytest.raises(Refused) as refused:
        render(Purpose.APOLOGY, Channel.SMS, Language.ZH, {"shop": "青禾"}, Wording("{order_tail}{number}{link}"))
    assert refused.value.why.params["names"] == ["order_tail", "number"]


HOSTILE = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        ["{reason}", "{shop.__init__.__globals__}", "%s%n", "${jndi:ldap://x}", "【假冒银行】", "\r\nBcc: x@y.example",
         "<script>alert(1)</script>", "{{7*7}}", "\x00\x1b[31m", "\u202e反", "'; DROP TABLE notices;--", "0" * 5000]
    ),
    st.text(alphabet=string.printable + "【】{}$\u2028\u202e\ud800", max_size=80),
)  # fmt: skip


@given(st.fixed_dictionaries(dict.fromkeys(("reason", "measure", "carrier", "number", "reissue"), HOSTILE)))
@settings(max_examples=500)
def test_no_value_breaks_a_message(values: dict[str, str]) -> None:
    if not all(values.values()):
        with pytest.raises(Refused, match="notice_values_missing"):
            render(Purpose.REISSUE_SENT, Channel.SMS, Language.ZH, {**VALUES, **values})
        return
    for channel in (Channel.SMS, Channel.EMAIL, Channel.PHONE):
        told = render(Purpose.REISSUE_SENT, channel, Language.ZH, {**VALUES, **values})
        assert not re.search(r"[\x00-\x08\x0b-\x1f\u2028\u2029\u202e]", told.text.replace("\n", ""))
        assert "\n" not in told.subject
        assert "\r" not in told.text
        told.text.encode("utf-8")
        if channel in SMS_CHANNELS:
            assert told.text.count("【") == told.text.count("】") == 1
            assert "\n" not in told.text


@given(st.text(max_size=60), st.dictionaries(st.sampled_from(KNOWN), st.text(max_size=20)))
def test_filling_is_one_pass(text: str, values: dict[str, str]) -> None:
    filled = fill("{shop}" + text, values | {"shop": "{reason}", "reason": "丢"})
    assert filled.startswith("{reason}")
    assert set(names(text)) <= set(names("{shop}" + text))


@given(st.text())
def test_a_clean_value_stays_clean(value: str) -> None:
    assert clean(clean(value)) == clean(value)


@pytest.mark.parametrize("reply", ["T", "t", " td ", "TD。", "N", "退订", "退订!", "回复T", "Ｔ", "“退订”", "别发了"])
def test_these_want_no_more(reply: str) -> None:
    assert wants_out(reply)


@pytest.mark.parametrize("reply", ["T恤没收到", "好的", "", "不", "没收到", "Thanks", "NO", "退款", "什么时候到", "0"])
def test_these_say_something_else(reply: str) -> None:
    assert not wants_out(reply)
