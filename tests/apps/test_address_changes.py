"""A customer asks for another address: recorded with proof, used by gate, label and booking; or it comes by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pypdfium2
import pytest

from bufa.apps.cases import address_change
from bufa.apps.cases.models import Case
from bufa.apps.cases.taking_in import take_in
from bufa.apps.negotiations import papers, rules
from bufa.apps.orders import address_changes
from bufa.apps.orders.address_changes import ChangeView
from bufa.apps.orders.models import AddressChange, Recipient
from bufa.apps.reissues import actions, copy_pack, labels, queries
from bufa.apps.reissues.models import LabelBooking, Reissue
from bufa.domain.outcome import Refused
from bufa.domain.paper_layouts import Written
from bufa.domain.reissues import Answer, Check
from bufa.lib.tenancy import for_shops
from tests.apps.test_reissues import AGENT, FRESH, form, ids
from tests.factories import make_order, make_recipient
from tests.factories.sample import Sample

NEW = "王小明 13912345678 浙江省杭州市西湖区文三路 138 号东方大厦 5 楼"


def record(sample: Sample, text: str = NEW, proof: str = "chat", **more: Any) -> int:
    said = {"said_at": sample.now - timedelta(hours=1), "proof": "飞鸽 12:03", "photo": None, "now": sample.now} | more
    return address_change.record(**ids(sample, "numbering"), text=text, proof_kind=proof, by=AGENT, **said)


def order_id(sample: Sample) -> int:
    with for_shops([sample.shop_id]):
        return Case.objects.get(id=sample.ids["numbering"]).order_id


def changes(sample: Sample) -> tuple[ChangeView, ...]:
    return address_changes.of_orders(sample.shop_id, [order_id(sample)]).get(order_id(sample), ())


def check(sample: Sample, code: str = "recipient", **changed: Any) -> Check:
    checked = queries.check_form(**ids(sample, "numbering"), form=replace(form(sample), **changed), now=sample.now)
    return next(one for one in checked.report.checks if one.code == code)


def test_the_form_goes_to_the_new_address_and_says_on_whose_word(sample: Sample) -> None:
    change_id = record(sample)
    draft = queries.open_draft(**ids(sample, "numbering"), now=sample.now)
    assert draft.form.delivery == f"change:{change_id}"
    found = check(sample)
    assert (found.verdict, found.why.code, found.why.params["by"]) == (Answer.PASS, "change_recorded", "林")
    assert check(sample, "delivery").verdict is Answer.PASS
    assert check(sample, delivery="order").why.code == "change_not_used"


def test_without_proof_nobody_can_tell(sample: Sample) -> None:
    record(sample, proof="")
    assert (check(sample).verdict, check(sample).why.code) == (Answer.CANNOT_TELL, "change_unproved")


def test_who_when_source_and_proof_are_kept_and_nothing_is_readable(sample: Sample) -> None:
    change_id = record(sample)
    (kept,) = changes(sample)
    assert (kept.source, kept.by, kept.proof_kind, kept.said_at) == (
        "customer", "林", "chat", sample.now - timedelta(hours=1),
    )  # fmt: skip
    assert (kept.name_mask, kept.phone_mask, kept.place) == ("王**", "139****5678", "浙江省杭州市西湖区")
    assert kept.was["province"] == "广东省"
    with for_shops([sample.shop_id]):
        row = AddressChange.objects.get(id=change_id)
        stored = repr({field.name: getattr(row, field.name) for field in row._meta.fields})
    for secret in ("王小明", "13912345678", "138 号", "飞鸽"):
        assert secret not in stored
        assert secret.encode() not in bytes(row.sealed)
    plain, proof = address_changes.open_change(sample.shop_id, change_id)
    assert (plain.name, plain.phone, proof) == ("王小明", "13912345678", "飞鸽 12:03")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("朝阳区建国路 88 号", "address_ambiguous"),
        ("老地方，门口放着就行", "address_unknown"),
        ("浙江省杭州市西湖区", "address_without_detail"),
    ],
)
def test_an_address_that_is_not_sure_is_not_taken(sample: Sample, text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        record(sample, text)
    assert refused.value.why.code == code
    assert changes(sample) == ()


def test_it_can_not_have_been_said_tomorrow(sample: Sample) -> None:
    with pytest.raises(Refused, match="change_from_the_future"):
        record(sample, said_at=sample.now + timedelta(minutes=1))


def test_taken_back_the_order_counts_again(sample: Sample) -> None:
    change_id = record(sample)
    actions.save_draft(**ids(sample, "numbering"), form=form(sample), by=AGENT, now=sample.now)
    address_change.take_back(**ids(sample, "numbering"), change_id=change_id, by=AGENT, now=sample.now)
    assert queries.open_draft(**ids(sample, "numbering"), now=sample.now).form.delivery == "order"
    assert check(sample).why.code == "same_open_address"
    with pytest.raises(Refused, match="change_not_here"):
        address_change.take_back(**ids(sample, "numbering"), change_id=change_id, by=AGENT, now=sample.now)


def test_the_label_shows_the_new_place(sample: Sample) -> None:
    record(sample)
    reissue_id = actions.save_draft(**ids(sample, "numbering"), form=form(sample), by=AGENT, now=sample.now)
    (label,) = labels.reissue_labels(sample.shop_id, [reissue_id])
    assert label.to.startswith("浙江省杭州市西湖区")
    assert "王**" in label.to
    assert "客户改过地址" in label.note


def moved(sample: Sample, address: str) -> None:
    """The platform's order says that it goes elsewhere."""
    with for_shops([sample.shop_id]):
        order = Case.objects.select_related("order").get(id=sample.ids["numbering"]).order
    there = make_recipient(open_address_id=address, province="浙江省", city="杭州市", district="西湖区")
    fact = make_order(order.number, status=3, recipient=there, updated_at=sample.now)
    take_in(shop_id=sample.shop_id, orders=[replace(fact, lines=())], now=sample.now)


def test_the_platforms_order_brings_a_change_of_its_own(sample: Sample) -> None:
    moved(sample, "elsewhere")
    (kept,) = changes(sample)
    assert (kept.source, kept.proof_kind, kept.in_order, kept.was["city"]) == ("platform", "platform", True, "深圳市")
    assert check(sample).why.code == "same_open_address"
    moved(sample, "elsewhere")
    assert len(changes(sample)) == 1


def test_a_later_word_of_the_platform_counts_more_than_what_the_customer_said_before(sample: Sample) -> None:
    record(sample)
    moved(sample, "elsewhere")
    assert queries.open_draft(**ids(sample, "numbering"), now=sample.now).form.delivery == "order"
    assert check(sample, delivery="order").why.code == "same_open_address"


def test_a_waybill_booked_before_the_platforms_change_carries_the_old_address(sample: Sample) -> None:
    reissue_id = actions.save_draft(**ids(sample, "numbering"), form=form(sample), by=AGENT, now=sample.now)
    with for_shops([sample.shop_id]):
        LabelBooking.objects.create(
            shop_id=sample.shop_id, reissue=Reissue.objects.get(id=reissue_id), pack_id="P1", carrier="yuantong",
            state="booked", number=FRESH, by="林", created_at=sample.now - timedelta(hours=2),
        )  # fmt: skip
    assert check(sample).why.code == "same_open_address"
    moved(sample, "elsewhere")
    assert (check(sample).verdict, check(sample).why.code) == (Answer.PUNISHED_LATER, "label_before_change")


def test_another_shop_sees_nothing_of_it(sample: Sample) -> None:
    record(sample)
    assert address_changes.of_orders(sample.shop_id + 1, [order_id(sample)]) == {}
    with for_shops([sample.shop_id + 1]):
        assert not AddressChange.objects.exists()
        assert not Recipient.objects.exists()


def application(sample: Sample) -> str:
    body = papers.paper_pdf(
        shop_id=sample.shop_id, case_ids=[sample.ids["numbering"]], paper=Written.APPLICATION,
        book=rules.of_shop(sample.shop_id), by=AGENT, now=sample.now,
    )  # fmt: skip
    return "".join("".join(page.get_textpage().get_text_range().split()) for page in pypdfium2.PdfDocument(body))


def test_the_carriers_papers_and_the_copied_fields_name_the_new_address(sample: Sample) -> None:
    written = application(sample)
    assert "西湖区" not in written
    change_id = record(sample)
    written = application(sample)
    assert "浙江省杭州市西湖区" in written
    assert "139****5678" in written
    assert "文三路138" not in written
    assert "广东省" in written  # what the first parcel's waybill says still finds it
    reissue_id = actions.save_draft(
        **ids(sample, "numbering"), form=replace(form(sample), delivery=f"change:{change_id}"), by=AGENT, now=sample.now
    )
    fields = {one.name: one.text for one in copy_pack.pack(sample.shop_id, reissue_id, 1)}
    assert fields["delivery"].startswith("王** 浙江省杭州市西湖区")
