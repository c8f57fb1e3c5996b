"""The page of unread texts: a lead says what a sentence means, and all parcels with it follow."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels import queries
from bufa.jobs.templates import read_again
from tests.factories import NOW, at, make_report, make_shipped
from tests.factories.sample import Sample

SignIn = Callable[[str], Client]
PAGE = "/settings/texts/"
ODD = "【临海市】件号{}号笼异常离库待查,经手人:王强,13912345678"
NUMBERS = ("73222200001111", "73222200002222")


@pytest.fixture
def fed(sample: Sample) -> Sample:
    orders = [make_shipped(f"X{number}", number) for number in NUMBERS]
    reports = [make_report(number, (at(-5), ODD.format(n))) for n, number in enumerate(NUMBERS)]
    take_in(shop_id=sample.shop_id, orders=orders, reports=reports, now=NOW)
    return sample


def key_of(sample: Sample, view: str = "unread") -> str:
    return queries.templates(sample.shop_id, view).rows[0].key


def test_a_lead_says_it_once(fed: Sample, signed_in: SignIn) -> None:
    lead = signed_in("lead")
    page = lead.get(PAGE).content.decode()
    assert "件号#号笼异常离库待查" in page
    assert "2 次" in page
    assert all(number in page for number in NUMBERS)
    assert "王强" not in page
    answer = lead.post(PAGE, {"key": key_of(fed), "kind": "lost", "reason": ""})
    assert answer.status_code == 303
    moving = lead.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert "0 / 2 个包裹" in moving
    read_again(fed.shop_id)
    page = lead.get(f"{PAGE}?view=taught").content.decode()
    assert "rereading" not in page
    assert fed.people["lead"] in page
    (row,) = queries.templates(fed.shop_id, "taught").rows
    assert (row.kind, row.waiting) == ("lost", 0)
    lead.post(f"{PAGE}?view=taught", {"key": row.key, "kind": "lost", "take_back": "1"})
    assert queries.templates(fed.shop_id, "unread").rows[0].key == row.key


@pytest.mark.parametrize("role", ["agent", "warehouse", "finance"])
def test_others_see_it_and_may_not(fed: Sample, signed_in: SignIn, role: str) -> None:
    person = signed_in(role)
    assert "disabled" in person.get(PAGE).content.decode()
    assert person.post(PAGE, {"key": key_of(fed), "kind": "lost"}).status_code == 422
    assert queries.template_counts(fed.shop_id)["taught"] == 0
    file = SimpleUploadedFile("t.jsonl", json.dumps({"template": ODD.format(1), "kind": "lost"}).encode())
    person.post("/import/", {"kind": "templates", "file": file})
    assert queries.template_counts(fed.shop_id)["taught"] == 0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"kind": ""}, "请选择这句文案是什么意思"),
        ({"kind": "delivered", "reason": "missort"}, "请把原因留空"),
        ({"kind": "lost", "key": "000000000000"}, "没有这句文案"),
        ({"kind": "lost", "take_back": "1"}, "没有教过"),
    ],
)
def test_what_is_refused_says_why(fed: Sample, owner: Client, said: dict[str, str], words: str) -> None:
    answer = owner.post(PAGE, {"key": key_of(fed), **said})
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_out_and_in_again(fed: Sample, owner: Client) -> None:
    owner.post(PAGE, {"key": key_of(fed), "kind": "held", "reason": "missort"})
    answer = owner.get(f"{PAGE}export/")
    written = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    (line,) = written.decode().splitlines()
    assert (json.loads(line)["kind"], json.loads(line)["reason"]) == ("held", "missort")
    owner.post(PAGE, {"key": key_of(fed, "taught"), "take_back": "1"})
    rows = [
        line,
        line,
        json.dumps({"template": "另一句【甲】笼出库", "kind": "arrived"}),
        json.dumps({"template": "快件已签收", "kind": "held"}),
        json.dumps({"kind": "held"}),
        "{",
    ]
    file = SimpleUploadedFile("texts.jsonl", "\n".join(rows).encode())
    page = owner.post("/import/", {"kind": "templates", "file": file}).content.decode()
    assert "6 行里收下 1 行，没有收 5 行" in page
    for words in ("和第 1 行是同一句", "不认识的含义 arrived", "已经读得懂", "必填项为空", "不是 JSON"):
        assert words in page
    (row,) = queries.templates(fed.shop_id, "taught").rows
    assert (row.kind, row.reason) == ("held", "missort")


def test_empty_states(sample: Sample, owner: Client) -> None:
    for view, words in (("unread", "没有读不懂的文案"), ("notes", "没有备注类文案"), ("taught", "还没有教过")):
        assert words in owner.get(f"{PAGE}?view={view}&from=abc").content.decode()
