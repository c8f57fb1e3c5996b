"""The packing table and the hand-over, beneath the pages: what each read changes, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects.models import Effect
from bufa.apps.orders.models import Line, Recipient
from bufa.apps.reissues import actions, booking, counting, hand_over, packing, pick_list, queries
from bufa.apps.reissues.models import HandedParcel, HandOver, LabelBooking, Pack, Reissue
from bufa.apps.shops import actions as shop_actions
from bufa.apps.shops import stock
from bufa.apps.shops.stock import Goods
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.packing import (
    Read,
    Result,
    Tone,
    carrier_of,
    left_to_count,
    piece_code,
    result_from_json,
    result_to_json,
    what_is,
)
from bufa.lib.tenancy import for_shops
from tests.apps.test_reissues import LEAD, form, ids, told
from tests.factories import make_ticket
from tests.factories.sample import GOODS, Sample

PACKER = Actor(9, "陈", Role.WAREHOUSE)
YT = "YT8888000000001"
CUP = Goods("S1", GOODS[2], "红色")


def read(sample: Sample, text: str, open_id: int = 0, by: Actor = PACKER, **more: str) -> Result:
    return packing.read(shop_id=sample.shop_id, text=text, open_id=open_id, by=by, now=sample.now, **more)


def release(sample: Sample) -> Reissue:
    packing.release(shop_id=sample.shop_id, case_ids=[sample.ids["numbering"]], by=PACKER, now=sample.now)
    return row(sample)


def row(sample: Sample, name: str = "numbering") -> Reissue:
    with for_shops([sample.shop_id]):
        return Reissue.objects.filter(case_id=sample.ids[name]).latest("id")


def in_time(sample: Sample) -> None:
    """The customer's ticket is agreed, so that the gate lets the number through."""
    with for_shops([sample.shop_id]):
        order = Case.objects.get(id=sample.ids["numbering"]).order.number
    take_in(shop_id=sample.shop_id, after_sales=[make_ticket("7777", order, status=8)], now=sample.now)


def shelf(sample: Sample) -> tuple[int, int]:
    (there,) = stock.rows([sample.shop_id])
    return there.on_hand, there.reserved


@pytest.mark.parametrize(
    ("text", "read_as", "value"),
    [
        ("r223-2222-2", Read.MISREAD, "R223-2222-2"),
        ("  yt8888000000001 ", Read.WAYBILL, YT),
        ("JDVA00936215561-1-1-", Read.WAYBILL, "JDVA00936215561"),
        ("bufa-undo", Read.UNDO, "BUFA-UNDO"),
        ("BUFA LABEL", Read.LABEL, "BUFA-LABEL"),
        ("bufarecount", Read.RECOUNT, "BUFA-RECOUNT"),
        (piece_code("6921-a"), Read.PIECE, "6921-a"),
        ("https://example.com", Read.UNKNOWN, "HTTPS://EXAMPLE.COM"),
    ],
)
def test_what_a_scanner_read(text: str, read_as: Read, value: str) -> None:
    assert (what_is(text).read, what_is(text).value) == (read_as, value)


def test_a_carrier_is_named_only_where_the_number_says_so() -> None:
    assert carrier_of(("zhongtong", "yunda"), "yunda") == "yunda"
    assert carrier_of(("zhongtong",), "yunda") == "zhongtong"
    assert carrier_of(("zhongtong", "yunda"), "jd") == ""


def test_goods_are_kept_on_release_and_gone_when_packed(sample: Sample) -> None:
    stock.count(shop_id=sample.shop_id, goods=CUP, on_hand=1, by="陈", now=sample.now)
    made = release(sample)
    assert shelf(sample) == (1, 1)
    in_time(sample)
    opened = read(sample, made.code)
    assert (opened.tone, opened.why.code, opened.open_id) == (Tone.GOOD, "open_to_pack", made.pk)
    done = read(sample, YT, opened.open_id)
    assert (done.tone, done.why.code, done.open_id) == (Tone.GOOD, "packed_submitted", 0)
    assert shelf(sample) == (0, 0)
    sent = row(sample)
    assert (sent.pk, sent.state, sent.number, sent.carrier) == (made.pk, "submitting", YT, "yuantong")
    # Read once more, or sent once more because the answer got lost: nothing happens twice.
    assert read(sample, YT, made.pk).why.code == "packed_already"
    assert read(sample, made.code).why.code == "packed_already"
    with for_shops([sample.shop_id]):
        assert Pack.objects.filter(reissue=made).count() == 1
        assert Effect.objects.filter(subject=f"reissue:{made.pk}").count() == 1


def test_what_was_submitted_is_stopped_in_time_and_gets_a_new_code(sample: Sample) -> None:
    stock.count(shop_id=sample.shop_id, goods=CUP, on_hand=1, by="陈", now=sample.now)
    made = release(sample)
    in_time(sample)
    read(sample, YT, made.pk)
    undone = read(sample, "BUFA-UNDO")
    assert undone.why.code == "undone_new_code"
    again = row(sample)
    assert (again.state, again.code) == ("draft", undone.why.params["again"])
    assert again.pk != made.pk
    assert shelf(sample) == (1, 1)
    # The waybill was never submitted by anybody else: it may be tried again.
    assert read(sample, YT, again.pk).why.code == "packed_submitted"


def test_a_number_that_the_platform_refuses_opens_the_box_again(sample: Sample) -> None:
    stock.count(shop_id=sample.shop_id, goods=CUP, on_hand=1, by="陈", now=sample.now)
    made = release(sample)
    in_time(sample)
    read(sample, YT, made.pk)
    actions.on_effect(told(row(sample), "rejected", why="business", text="运单号已被使用"))
    assert [one.code for one in pick_list.came_undone(sample.shop_id, sample.now - timedelta(days=1))] == [made.code]
    assert shelf(sample) == (1, 0)
    assert read(sample, made.code).why.code == "reissue_over"


def test_a_box_whose_reissue_was_called_off_meanwhile_is_not_packed(sample: Sample) -> None:
    sent = row(sample, "submitting")
    opened = read(sample, sent.code)
    actions.stop(shop_id=sample.shop_id, reissue_id=sent.pk, by=LEAD, now=sample.now)
    found = read(sample, sent.number, opened.open_id)
    assert (found.tone, found.why.code, found.open_id) == (Tone.BAD, "reissue_over", 0)
    with for_shops([sample.shop_id]):
        assert not Pack.objects.filter(reissue=sent).exists()


def test_a_shop_may_want_a_person_to_submit(sample: Sample) -> None:
    shop_actions.change_policy(shop_id=sample.shop_id, changes={packing.SUBMITS: False}, by="test")
    made = release(sample)
    in_time(sample)
    assert read(sample, YT, made.pk).why.code == "packed_ready"
    assert row(sample).state == "draft"
    packing.submit_packed(shop_id=sample.shop_id, reissue_id=made.pk, by=PACKER, now=sample.now)
    assert (row(sample).state, row(sample).number) == ("submitting", YT)


def test_a_waybill_used_before_stops_the_box_and_keeps_it_open(sample: Sample) -> None:
    made = release(sample)
    used = row(sample, "telling").number
    found = read(sample, used, made.pk)
    assert (found.tone, found.why.code, found.open_id) == (Tone.BAD, "waybill_of_another_box", made.pk)
    with for_shops([sample.shop_id]):
        original = row(sample).case.parcel.number
    found = read(sample, original, made.pk)
    assert found.tone in (Tone.BAD, Tone.SOFT)
    assert found.why.code in ("gate_stops_pack", "choose_carrier", "read_unknown")
    assert found.open_id == made.pk


def test_nobody_packs_what_is_short(sample: Sample) -> None:
    stock.count(shop_id=sample.shop_id, goods=CUP, on_hand=0, by="陈", now=sample.now)
    done = packing.release(shop_id=sample.shop_id, case_ids=[sample.ids["numbering"]], by=PACKER, now=sample.now)
    assert done.codes == {}
    assert done.refused[sample.ids["numbering"]].code == "stock_short"
    assert [one.case_id for one in pick_list.to_release(sample.shop_id)] == [sample.ids["numbering"]]


def test_a_draft_that_a_person_changes_keeps_what_it_says(sample: Sample) -> None:
    stock.count(shop_id=sample.shop_id, goods=CUP, on_hand=2, by="陈", now=sample.now)
    release(sample)
    actions.save_draft(**ids(sample, "numbering"), form=form(sample), by=LEAD, now=sample.now)
    assert shelf(sample) == (2, 1)
    checked = queries.check_form(**ids(sample, "numbering"), form=form(sample), now=sample.now)
    assert next(one for one in checked.report.checks if one.code == "stock").verdict.value == "pass"


def test_the_database_refuses_two_packs_and_two_lists(sample: Sample) -> None:
    sent = packed(sample)
    with for_shops([sample.shop_id]):
        pack = Pack.objects.get(reissue=sent)
        with pytest.raises(IntegrityError, match="one_pack_per_reissue"), transaction.atomic():
            Pack.objects.create(
                shop_id=sample.shop_id, reissue=sent, carrier="yuantong", number="x", by="x", packed_at=sample.now
            )
        about = {"shop_id": sample.shop_id, "opened_at": sample.now, "opened_by": "x"}
        first = HandOver.objects.create(**about, code="J1", carrier="yuantong")
        with pytest.raises(IntegrityError, match="one_open_list_per_carrier"), transaction.atomic():
            HandOver.objects.create(**about, code="J2", carrier="yuantong")
        second = HandOver.objects.create(**about, code="J3", carrier="jd")
        on = {"shop_id": sample.shop_id, "pack": pack, "added_at": sample.now, "added_by": "x"}
        HandedParcel.objects.create(**on, hand_over=first)
        with pytest.raises(IntegrityError, match="pack_on_one_list"), transaction.atomic():
            HandedParcel.objects.create(**on, hand_over=second)


def packed(sample: Sample) -> Reissue:
    sent = row(sample, "following")
    assert read(sample, sent.number, read(sample, sent.code).open_id).why.code == "packed"
    return sent


def test_what_the_courier_took_and_nobody_scanned_is_shown_after_the_shops_hours(sample: Sample) -> None:
    sent = packed(sample)
    at = {"shop_id": sample.shop_id, "by": PACKER, "now": sample.now}
    list_id = hand_over.open_list(**at, carrier=sent.carrier)
    hand_over.close(**at, list_id=list_id, courier="老王")
    assert hand_over.unscanned(sample.shop_id, sample.now + timedelta(hours=11)) == []
    (late,) = hand_over.unscanned(sample.shop_id, sample.now + timedelta(hours=12))
    assert (late.box.number, late.courier, late.list_code) == (sent.number, "老王", "J261120-01")
    shop_actions.change_policy(shop_id=sample.shop_id, changes={packing.ALARM_HOURS: 24}, by="test")
    assert hand_over.unscanned(sample.shop_id, sample.now + timedelta(hours=12)) == []
    assert read(sample, "BUFA-UNDO").why.code == "handed_over_already"


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda sample, at, one: hand_over.close(**at, list_id=one, courier=" "), "courier_missing"),
        (lambda sample, at, one: hand_over.take_off(**at, list_id=one + 9, pack_id=1), "list_closed"),
    ],
)
def test_a_list_says_why_not(sample: Sample, act: Callable[..., None], code: str) -> None:
    sent = packed(sample)
    at = {"shop_id": sample.shop_id, "by": PACKER, "now": sample.now}
    list_id = hand_over.open_list(**at, carrier=sent.carrier)
    with pytest.raises(Refused, match=code):
        act(sample, at, list_id)


def test_a_list_with_nothing_on_it_is_not_signed(sample: Sample) -> None:
    sent = packed(sample)
    at = {"shop_id": sample.shop_id, "by": PACKER, "now": sample.now}
    list_id = hand_over.open_list(**at, carrier=sent.carrier)
    with for_shops([sample.shop_id]):
        pack = Pack.objects.get(reissue=sent).pk
    hand_over.take_off(**at, list_id=list_id, pack_id=pack)
    with pytest.raises(Refused, match="list_empty"):
        hand_over.close(**at, list_id=list_id, courier="老王")
    assert hand_over.read(**at, list_id=list_id, text=sent.number).why.code == "put_on_list"
    assert hand_over.read(**at, list_id=list_id, text="HELLO").tone is Tone.BAD


def test_who_may_not_pack_is_refused(sample: Sample) -> None:
    with pytest.raises(Refused, match="not_allowed"):
        read(sample, YT, by=replace(PACKER, role=Role.FINANCE))


def test_another_shop_knows_nothing_of_it(sample: Sample) -> None:
    made = release(sample)
    with for_shops([sample.shop_id + 1]):
        assert not Reissue.objects.filter(code=made.code).exists()
        assert not Pack.objects.exists()
        assert not HandOver.objects.exists()


EAN = "6901234567892"
ZT = "75412345678901"


def barcode(sample: Sample, goods: Goods = CUP, code: str = EAN) -> None:
    stock.count(shop_id=sample.shop_id, goods=goods, on_hand=9, by="陈", now=sample.now, barcode=code)


def of_two(sample: Sample) -> Reissue:
    """A released reissue of two cups."""
    made = release(sample)
    with for_shops([sample.shop_id]):
        Reissue.objects.filter(id=made.pk).update(contents=[[made.contents[0][0], 2]])
        Line.objects.filter(order_id=made.case.order_id).update(quantity=2)
    return row(sample)


def test_goods_are_counted_by_their_code_and_the_box_stays_open_until_all_are_in(sample: Sample) -> None:
    barcode(sample)
    made = of_two(sample)
    first = read(sample, EAN, made.pk)
    assert (first.tone, first.why.code, first.why.params["left"]) == (Tone.GOOD, "counted_one", 1)
    early = read(sample, YT, made.pk)
    assert (early.tone, early.why.code, early.open_id) == (Tone.BAD, "count_first", made.pk)
    assert f"{CUP.label} × 1" in str(early.why.params["left"])
    assert read(sample, EAN, made.pk).why.code == "counted_all"
    assert read(sample, EAN, made.pk).why.code == "counted_enough"
    assert read(sample, "BUFA-UNDO", made.pk).why.code == "count_taken_back"
    assert read(sample, piece_code(made.contents[0][0]), made.pk).why.code == "counted_all"
    assert read(sample, YT, made.pk).why.code in ("packed_submitted", "packed_waits_lead")
    with for_shops([sample.shop_id]):
        pack = Pack.objects.get(reissue=made)
    assert (pack.counted, pick_list.packed_lately(sample.shop_id, sample.now)[0].counted) == (2, 2)
    read(sample, "BUFA-UNDO")
    assert row(sample).counted == []


def test_a_read_whose_answer_got_lost_is_sent_again_and_changes_nothing(sample: Sample) -> None:
    barcode(sample)
    made = of_two(sample)
    told = read(sample, EAN, made.pk, key="k1")
    assert read(sample, EAN, made.pk, key="k1") == told
    assert row(sample).counted == [made.contents[0][0]]
    assert read(sample, EAN, made.pk, key="k2").why.code == "counted_all"
    undone = read(sample, "BUFA-UNDO", made.pk, key="k3")
    assert read(sample, "BUFA-UNDO", made.pk, key="k3") == undone
    assert len(row(sample).counted) == 1
    assert result_from_json(result_to_json(told)) == told


def test_other_goods_are_said_loudly_and_counting_begins_anew_by_a_code(sample: Sample) -> None:
    barcode(sample)
    barcode(sample, Goods("S9", "盘子", "蓝"), "6900000000007")
    made = of_two(sample)
    wrong = read(sample, "6900000000007", made.pk)
    assert (wrong.tone, wrong.why.code, wrong.open_id) == (Tone.BAD, "goods_not_in_box", made.pk)
    assert read(sample, EAN).why.code == "goods_without_box"
    assert read(sample, "BUFA-RECOUNT").why.code == "open_a_box_first"
    read(sample, EAN, made.pk)
    assert read(sample, "BUFA-RECOUNT", made.pk).why.code == "count_afresh"
    assert read(sample, YT, made.pk).tone is not Tone.BAD  # nobody counts now, and the shop does not want it
    with pytest.raises(Refused, match="barcode_taken"):
        barcode(sample, Goods("S8", "碗", ""), EAN)


def test_a_shop_may_want_every_box_counted(sample: Sample) -> None:
    barcode(sample)
    shop_actions.change_policy(shop_id=sample.shop_id, changes={counting.COUNTS: True}, by="test")
    made = release(sample)
    assert read(sample, YT, made.pk).why.code == "count_first"
    assert read(sample, "S1", made.pk).why.code == "counted_all"  # the platform's number is printed on some goods
    assert read(sample, YT, made.pk).tone is not Tone.BAD


def test_an_e_waybill_is_booked_from_the_table_once(sample: Sample) -> None:
    made = release(sample)
    with for_shops([sample.shop_id]):
        ciphers = {"name_cipher": "n", "phone_cipher": "p", "address_cipher": "a"}
        Recipient.objects.filter(order_id=made.case.order_id).update(**ciphers)
    assert read(sample, "BUFA-LABEL").why.code == "open_a_box_first"
    asked = read(sample, "BUFA-LABEL", made.pk)
    assert (asked.tone, asked.why.code, asked.open_id) == (Tone.GOOD, "label_on_its_way", made.pk)
    assert read(sample, "BUFA-LABEL", made.pk).why.code == "label_booked_already"
    with for_shops([sample.shop_id]):
        label = LabelBooking.objects.get(reissue=made)
        effect = Effect.objects.get(id=label.effect_id)
    booking.on_effect(
        replace(told(made, "accepted"), effect_id=effect.pk, kind="book_label", subject=f"label:{label.pk}",
                outcome={"message_id": ZT})
    )  # fmt: skip
    assert row(sample).number == ZT
    assert read(sample, "BUFA-LABEL", made.pk).why.code == "expects_number"
    assert read(sample, "YT8888000000002", made.pk).why.code == "wrong_waybill"
    assert read(sample, ZT, made.pk).tone is not Tone.BAD


def test_what_is_left_to_count() -> None:
    assert left_to_count([("a", 2), ("b", 1)], ["a", "b", "x"]) == {"a": 1}
    assert left_to_count([("a", 1)], ["a", "a"]) == {}
