"""The customer's page: a secret address without an account, answers that become statements, nothing that leaks."""

from __future__ import annotations

import gzip
import os
import random
import string
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case, CaseFile, Finding, Statement, TimelineEntry
from bufa.apps.notices import coming_first, customer_page, links
from bufa.apps.notices.models import CustomerAnswer, CustomerLink, Knock
from bufa.apps.orders.models import Order, Recipient
from bufa.domain.kinds import Role
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories.sample import PASSWORD, Sample
from tests.factories.shared import sample
from tests.lib.test_papers import photo

__all__ = ["sample"]

AGENT = Actor(7, "林", Role.AGENT)


@pytest.fixture
def owner(sample: Sample) -> Client:
    client = Client()
    assert client.post("/sign-in/", {"username": sample.people["owner"], "password": PASSWORD}).status_code == 302
    return client


def kept(sample: Sample, name: str = "following") -> str:
    """The path of a case's page, as a message carries it."""
    return links.keep(shop_id=sample.shop_id, case_id=sample.ids[name], now=sample.now)


def say(path: str, **told: object) -> int:
    return Client().post(f"{path}say/", told).status_code


def the_case(sample: Sample, name: str = "following") -> Case:
    with for_shops([sample.shop_id]):
        return Case.objects.get(id=sample.ids[name])


def statements(sample: Sample, name: str = "following") -> list[tuple[str, str, list[list[object]]]]:
    with for_shops([sample.shop_id]):
        rows = Statement.objects.filter(case_id=sample.ids[name], source="customer").order_by("id")
        return [(row.claim, row.wish, row.items) for row in rows]


def lines_of(sample: Sample, name: str) -> list[str]:
    with for_shops([sample.shop_id]):
        return list(
            TimelineEntry.objects.filter(case_id=sample.ids[name]).order_by("id").values_list("kind", flat=True)
        )


def test_the_page_opens_without_an_account_and_shows_no_more_than_it_must(sample: Sample) -> None:
    answer = Client().get(kept(sample))
    said = answer.content.decode()
    assert answer.status_code == 200
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "same-origin")
    assert "noindex" in answer["X-Robots-Tag"]
    assert answer.cookies == {}
    order = the_case(sample).order_id
    with for_shops([sample.shop_id]):
        number = Order.objects.get(id=order).number
    for shown in ("青禾鲜果旗舰店", number[-4:], "原件", "补发件", "预计送达"):
        assert shown in said
    for hidden in (number, "5678", "138", "张*", "武汉转运中心", "【", "快件已", "林", "周", "C-2026"):
        assert hidden not in said
    assert "<script" not in said
    assert len(gzip.compress(answer.content)) < 6_000
    english = Client().get(kept(sample) + "?lang=en").content.decode()
    assert "What happened" in english
    assert "expected" not in said


@pytest.mark.parametrize("name", ["fresh", "asking", "numbering", "submitting", "unknown", "telling", "closed"])
def test_every_step_of_a_case_has_its_page(sample: Sample, name: str) -> None:
    path = kept(sample, name)
    assert Client().get(path).status_code == 200
    assert Client().get(path + "?lang=en&done=received").status_code == 200


@pytest.mark.parametrize(
    ("told", "claim", "wish", "wakes"),
    [
        ({"answer": "received"}, "delivered", "", False),
        ({"answer": "not_received", "words": "门口没有"}, "late", "", True),
        ({"answer": "refund"}, "lost", "refund", True),
        ({"answer": "wait"}, "lost", "wait", False),
    ],
)
def test_an_answer_is_a_statement_and_moves_nothing(
    sample: Sample, told: dict[str, str], claim: str, wish: str, wakes: bool
) -> None:
    before = the_case(sample)
    assert say(kept(sample), **told) == 303
    after = the_case(sample)
    assert statements(sample) == [(claim, wish, [])]
    assert (after.state, after.measure, after.round) == (before.state, before.measure, before.round)
    assert (after.why["code"] == "customer_said") is wakes
    if wakes:
        assert (after.waiting_for, after.next_action) == ("shop", "reissue_wrong")
        assert after.due_at == sample.now + timedelta(hours=12)


def test_damage_comes_with_pictures_written_anew_and_with_which_items(sample: Sample) -> None:
    pictures = [SimpleUploadedFile(f"张三 {n}.png", photo(colour)) for n, colour in enumerate(("red", "blue"))]
    assert say(kept(sample), answer="damaged", item_0="1", photos=pictures, words="压扁了 13812345678") == 303
    with for_shops([sample.shop_id]):
        [row] = Statement.objects.filter(case_id=sample.ids["following"], source="customer")
        files = list(CaseFile.objects.filter(statement=row))
        line = row.items[0][0]
    assert row.items == [[line, 1]]
    assert [(one.media_type, one.by) for one in files] == [("image/jpeg", "客户页面")] * 2
    assert Client().get(kept(sample)).content.decode().count("收到了，但有损坏") >= 2


def test_a_closed_case_comes_back_with_its_history_when_the_customer_contradicts_it(sample: Sample) -> None:
    before, lines = the_case(sample, "closed"), lines_of(sample, "closed")
    assert before.state == "closed"
    assert say(kept(sample, "closed"), answer="received") == 303
    assert the_case(sample, "closed").state == "closed"
    assert say(kept(sample, "closed"), answer="not_received") == 303
    after = the_case(sample, "closed")
    assert (after.pk, after.state, after.closed_at) == (before.pk, "determining", None)
    assert lines_of(sample, "closed")[: len(lines)] == lines


def test_not_received_on_a_signed_parcel_is_a_finding(sample: Sample) -> None:
    from bufa.apps.cases.taking_in import take_in
    from tests.factories import make_report

    case = the_case(sample, "asking")
    with for_shops([sample.shop_id]):
        number = case.parcel.number
    report = make_report(number, (sample.now - timedelta(minutes=5), "【武汉市】 已签收，签收人：前台", "301"))
    take_in(shop_id=sample.shop_id, reports=[report], now=sample.now)
    assert the_case(sample, "asking").state == "closed"
    assert say(kept(sample, "asking"), answer="not_received") == 303
    with for_shops([sample.shop_id]):
        rules = set(Finding.objects.filter(parcel_id=case.parcel_id, state="open").values_list("rule", flat=True))
    assert "signed_not_received" in rules
    assert the_case(sample, "asking").state == "determining"
    assert statements(sample, "asking")[-1][0] == "signed_not_received"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"answer": "eaten"}, "eaten"),
        ({"answer": "damaged", "photos": SimpleUploadedFile("a.jpg", b"no picture")}, "打不开"),
        ({"answer": "damaged", "item_0": "99"}, "99"),
        ({"answer": "rated", "stars": "5"}, "刷新"),
        ({"answer": "address_ok"}, "刷新"),
    ],
)
def test_what_makes_no_sense_comes_back_with_a_reason_and_nothing_is_kept(
    sample: Sample, told: dict[str, object], words: str
) -> None:
    answer = Client().post(f"{kept(sample)}say/", told)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert statements(sample) == []


def test_pressed_twice_is_once_and_again_and_again_is_refused(sample: Sample) -> None:
    path = kept(sample)
    for _ in range(3):
        assert say(path, answer="received") == 303
    assert len(statements(sample)) == 1
    codes = [say(path, answer="not_received", words=str(n)) for n in range(8)]
    assert codes == [303] * 6 + [422] * 2
    assert len(statements(sample)) == 7


def test_satisfaction_is_asked_once_after_the_end(sample: Sample) -> None:
    path = kept(sample, "closed")
    assert 'name="stars"' in Client().get(path).content.decode()
    assert say(path, answer="rated", stars="9") == 422
    assert say(path, answer="rated", stars="4") == 303
    page = Client().get(path).content.decode()
    assert 'name="stars"' not in page
    assert "4 ★" in page
    assert say(path, answer="rated", stars="1") == 422
    with for_shops([sample.shop_id]):
        assert [row.stars for row in CustomerAnswer.objects.filter(answer="rated")] == [4]


def test_an_address_opens_for_a_time_and_until_it_is_taken_back(sample: Sample, owner: Client) -> None:
    path = kept(sample)
    with clock.frozen(sample.now + timedelta(days=links.DAYS, minutes=1)):
        assert Client().get(path).status_code == 404
    assert kept(sample) == path
    with for_shops([sample.shop_id]):
        row = CustomerLink.objects.get(case_id=sample.ids["following"])
        assert row.digest not in path
        assert path.strip("/").partition("-")[2] not in str(row.__dict__)
    at = f"/cases/{sample.shop_id}/{sample.cases['following']}/"
    assert path in owner.get(at).content.decode()
    assert owner.post(f"{at}revoke-page/", {}).status_code == 303
    assert Client().get(path).status_code == 404
    assert say(path, answer="received") == 404
    assert kept(sample) != path
    assert Client().get(path).status_code == 404


def test_a_guessed_address_finds_nothing(sample: Sample) -> None:
    """`make guesses` tries 10,000."""
    guesses = int(os.environ.get("BUFA_GUESSES", "200"))
    path, rng, stranger = kept(sample), random.Random(7), Client()
    shop, _, secret = path.split("/")[2].partition("-")
    letters = string.ascii_letters + string.digits + "-_"
    tries = [
        "x",
        "-",
        f"{shop}-",
        f"{int(shop) + 1}-{secret}",
        f"{shop}-{secret}x",
        "9" * 30 + "-a",
        f"{shop}-{secret[:-1]}",
    ]
    tries += [f"{shop}-{''.join(rng.choices(letters, k=16))}" for _ in range(guesses)]
    assert {stranger.get(f"/m/{one}/").status_code for one in tries} == {404}
    with for_shops([sample.shop_id]):
        assert CustomerLink.objects.get(case_id=sample.ids["following"]).opened == 0


def test_a_script_that_looks_and_looks_is_slowed_down(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customer_page, "MOST_VIEWS", 3)
    path = kept(sample)
    assert [Client().get(path).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert say(path, answer="received") == 429


# --- customers who come first ----------------------------------------------------------------------------------------


def order_of(sample: Sample, name: str) -> tuple[str, str]:
    """Its number and the digits that fit it."""
    case = the_case(sample, name)
    with for_shops([sample.shop_id]):
        row = Recipient.objects.select_related("order").get(order_id=case.order_id)
        return row.order.number, row.phone_mask[-4:]


def come(sample: Sample, number: str, tail: str, trouble: str = "not_received") -> tuple[int, str, str]:
    answer = Client().post(f"/q/{sample.shop_id}/", {"number": number, "tail": tail, "trouble": trouble})
    return answer.status_code, answer.get("Location", ""), answer.content.decode()


def test_order_number_and_phone_lead_to_the_page_of_the_case(sample: Sample) -> None:
    number, tail = order_of(sample, "fresh")
    assert Client().get(f"/q/{sample.shop_id}/").status_code == 200
    code, to, _ = come(sample, number, tail)
    assert (code, to) == (303, f"{kept(sample, 'fresh')}?done=not_received")
    assert Client().get(to).status_code == 200
    assert statements(sample, "fresh")[-1][0] == "late"


def test_a_case_is_opened_for_an_order_that_had_none(sample: Sample) -> None:
    with for_shops([sample.shop_id]):
        order = Order.objects.exclude(id__in=Case.objects.values("order_id")).order_by("id").first()
        assert order is not None
        tail = Recipient.objects.get(order=order).phone_mask[-4:]
    code, to, _ = come(sample, order.number, tail, "damaged")
    assert code == 303
    with for_shops([sample.shop_id]):
        case = Case.objects.get(order=order)
        assert list(case.statements.values_list("source", "claim")) == [("customer", "damaged")]
    assert Client().get(to).status_code == 200


def test_a_wrong_number_and_wrong_digits_are_one_and_the_same_no(sample: Sample) -> None:
    number, tail = order_of(sample, "fresh")
    wrong = "0000" if tail != "0000" else "1111"
    answers = [come(sample, number, wrong), come(sample, "690000000000000x", tail), come(sample, "", tail)]
    assert {code for code, _, _ in answers} == {422}
    one, other = (page.replace(number, "").replace("690000000000000x", "") for _, _, page in answers[:2])
    assert one.replace(wrong, "").replace(tail, "") == other.replace(wrong, "").replace(tail, "")


def test_tries_are_counted_by_order_there_or_not_and_by_place(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    number, tail = order_of(sample, "fresh")
    for each in (number, "nobody's"):
        codes = [come(sample, each, f"{n:04d}")[0] for n in range(7)]
        assert codes == [422] * coming_first.BY_ORDER + [429] * 2
    assert come(sample, number, tail)[0] == 429
    monkeypatch.setattr(coming_first, "BY_PLACE", 3)
    assert come(sample, "another", "1234")[0] == 429
    with for_shops([sample.shop_id]):
        assert all(len(row.key) == 64 for row in Knock.objects.all())


def test_a_shop_that_is_not_there_has_no_form(sample: Sample) -> None:
    assert Client().get("/q/999999/").status_code == 404
