"""No shop sees, changes or guesses anything of another: every address of the desk, made from the URLconf.

Three shops: one is looked at, the second tries to, the third is there so that "another" is not always the next one.
Each address with a row in it is asked for with the first shop's row, as it is and under the second shop's number, by
GET and by POST: the answer is the one for a row that never was, and afterwards every row of the first shop is as it
was. A part of an address that is not known here fails: whoever adds one says what stands for it.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.urls import URLPattern, reverse

from bufa.api import urls as api_urls
from bufa.apps.cases.models import CaseFile, Finding, SavedView
from bufa.apps.claims.models import SheetLine
from bufa.apps.effects.models import Effect
from bufa.apps.negotiations.models import CarrierAnswer, CarrierLink, IncomingMail, RuleChange
from bufa.apps.notices.models import Notice, OptOut
from bufa.apps.orders.models import AfterSale
from bufa.apps.reissues.models import LabelBooking, Reissue
from bufa.apps.shops import actions
from bufa.apps.shops.models import ShopPause
from bufa.domain.kinds import Role
from bufa.lib.tenancy import for_shops
from bufa.web.urls import urlpatterns
from tests.factories import NOW, make_shop
from tests.factories.rows import some_row
from tests.factories.sample import PASSWORD, Sample, make_sample
from tests.factories.whole import with_more

NEVER = 999_999_999_999
ROWS: dict[str, Callable[[Sample], Any]] = {
    "code": lambda sample: sample.cases["fresh"],
    "case_id": lambda sample: sample.ids["fresh"],
    "parcel_id": lambda sample: sample.parcel_id,
    "run_id": lambda sample: sample.ids["run"],
    "list_id": lambda sample: sample.ids["list"],
    "claim_id": lambda sample: sample.ids["claim"],
    "key": lambda sample: "a" * 32,
    "number": lambda sample: _first(AfterSale, sample, "number"),
    "ids": lambda sample: str(NEVER - 1),
    "finding_id": lambda sample: some_row(Finding, sample.shop_id),
    "reissue_id": lambda sample: some_row(Reissue, sample.shop_id),
    "booking_id": lambda sample: some_row(LabelBooking, sample.shop_id),
    "view_id": lambda sample: some_row(SavedView, sample.shop_id),
    "file_id": lambda sample: some_row(CaseFile, sample.shop_id),
    "answer_id": lambda sample: some_row(CarrierAnswer, sample.shop_id),
    "link_id": lambda sample: some_row(CarrierLink, sample.shop_id),
    "mail_id": lambda sample: some_row(IncomingMail, sample.shop_id),
    "line_id": lambda sample: some_row(SheetLine, sample.shop_id),
    "change_id": lambda sample: some_row(RuleChange, sample.shop_id),
    "effect_id": lambda sample: some_row(Effect, sample.shop_id),
    "notice_id": lambda sample: some_row(Notice, sample.shop_id),
    "opt_out_id": lambda sample: some_row(OptOut, sample.shop_id, source="person", lifted_at=None),
    "pause_id": lambda sample: some_row(ShopPause, sample.shop_id, ends=NOW + timedelta(days=1)),
}
"""What names a row: part of an address → that of the sample."""

WORDS: dict[str, str] = {
    "act": "close", "way": "off", "answer": "agree", "carrier": "zhongtong", "kind": "doudian", "paper": "application",
    "rule_id": "amount_tongda", "purpose": "apology", "channel": "email", "language": "en",
}  # fmt: skip
"""What names no row."""

BY_SIGNATURE = {"carrier_page", "carrier_page_answer", "customer_page", "customer_say", "customer_come"}
"""Whoever holds the address may see what stands behind it: another test guesses them. `customer_come` is anybody's."""

SAID = {"act": "close", "do": "save", "reason": "x", "trace": "x", "kind": "x", "name": "x", "text": "x"}


def _first(model: type[models.Model], sample: Sample, field: str) -> Any:
    with for_shops([sample.shop_id]):
        rows = model._default_manager.filter(shop_id=sample.shop_id)
        return rows.order_by("pk").values_list(field, flat=True)[0]


@dataclass(frozen=True)
class Try:
    """One address asked for, and the same one for a row that never was."""

    name: str
    address: str
    nowhere: str


@pytest.fixture
def shops(db: None) -> list[Sample]:
    make_shop("第三家店", login="third")
    seen = make_sample("第一家店", prefix="a")
    with_more(seen)
    own = Sample(make_shop("第二家店", login="b-owner"), NOW, 0, {"owner": "b-owner", "agent": "b-agent"})
    operator = actions.add_operator("b-agent", PASSWORD)
    actions.add_member(shop_id=own.shop_id, operator_id=operator, role=Role.AGENT, by="test")
    return [seen, own]


def parts_of(pattern: URLPattern) -> list[str]:
    return re.findall(r"<\w+:(\w+)>", str(pattern.pattern))


def tries(seen: Sample, own: Sample) -> Iterator[Try]:
    unknown = {part for pattern in urlpatterns for part in parts_of(pattern)} - ROWS.keys() - WORDS.keys()
    assert not unknown - {"shop_id", "token"}, f"say in ROWS or WORDS what stands for {sorted(unknown)}"
    for pattern in urlpatterns:
        parts, name = parts_of(pattern), pattern.name or ""
        rows = [part for part in parts if part in ROWS]
        if name in BY_SIGNATURE or not ({"shop_id", *rows} & set(parts)):
            continue
        there = {part: ROWS[part](seen) for part in rows} | {part: WORDS[part] for part in parts if part in WORDS}
        never = {part: "none" if isinstance(there[part], str) else NEVER for part in rows}
        for shop_id in (seen.shop_id, own.shop_id) if "shop_id" in parts else (0,):
            if shop_id == own.shop_id and not rows:
                continue  # their own shop
            mine = {"shop_id": shop_id} if shop_id else {}
            # A shop of somebody else looks like one that never was, whatever row is named.
            other = {"shop_id": NEVER if shop_id == seen.shop_id else shop_id} if shop_id else {}
            yield Try(name, reverse(name, kwargs=there | mine), reverse(name, kwargs=there | never | other))


def digest(shop_id: int) -> dict[str, str]:
    """Table → a hash over all rows of the shop, as the application sees them."""
    found: dict[str, str] = {}
    with for_shops([shop_id]), connection.cursor() as cursor:
        for model in apps.get_models():
            if model.__module__.startswith("bufa.") and any(each.column == "shop_id" for each in model._meta.fields):
                table = model._meta.db_table
                cursor.execute(
                    f"SELECT coalesce(string_agg(t::text, '|' ORDER BY t::text), '') FROM {table} t WHERE shop_id = %s",
                    [shop_id],
                )
                found[table] = hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest()
    return found


def seen_of(answer: Any, address: str) -> tuple[int, str, str]:
    """What an answer tells: its status, where it leads, its words; without the address itself and one-time tokens."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = body.decode(errors="replace")
    text = re.sub(r'(name="csrfmiddlewaretoken" value=|data-token=|nonce=)"[^"]*"', "", text)
    text = re.sub(r'<div class="flash .*?</div>', "", text, flags=re.DOTALL)  # what the request before was told
    text = re.sub(r"\s+", " ", text.replace(address, "…"))
    return answer.status_code, re.sub(r"\d+", "…", answer.get("Location", "")), text


def stranger(sample: Sample) -> Client:
    client = Client(raise_request_exception=False)
    assert client.post("/sign-in/", {"username": sample.people["owner"], "password": PASSWORD}).status_code == 302
    return client


def test_another_shop_is_as_if_it_never_was(shops: list[Sample]) -> None:
    """An owner tries, who may do everything that anybody may."""
    seen, own = shops
    asked = list(tries(seen, own))
    before, client = digest(seen.shop_id), stranger(own)
    told = []
    for each in asked:
        for method in ("get", "post"):
            answers = [
                getattr(client, method)(at, *([SAID] if method == "post" else []))
                for at in (each.address, each.nowhere)
            ]
            there, nowhere = (
                seen_of(answer, at) for answer, at in zip(answers, (each.address, each.nowhere), strict=True)
            )
            if there[:2] != nowhere[:2] or (there[0] == 404 and there[2] != nowhere[2]) or there[0] >= 500:
                differs = [
                    line for line in difflib.ndiff(*(one[2].split("<") for one in (there, nowhere))) if line[0] in "+-"
                ]
                told.append(f"{method} {each.name} {each.address}: {there[:2]}, never: {nowhere[:2]} {differs[:2]}")
            if there[0] == 200 and seen.cases["fresh"] in there[2]:
                told.append(f"{method} {each.name} {each.address} shows the other shop's case")
    assert not told, "\n".join(told)
    after = digest(seen.shop_id)
    assert [table for table in before if before[table] != after[table]] == []
    assert len(asked) > 100


def marks(sample: Sample) -> list[str]:
    """Words that stand in one shop only."""
    with for_shops([sample.shop_id]), connection.cursor() as cursor:
        cursor.execute("SELECT number FROM parcels_parcel UNION SELECT number FROM orders_order")
        numbers = [str(number) for (number,) in cursor.fetchall()]
    return [*filter(None, numbers), *sample.people.values()]


def test_no_list_and_no_export_shows_a_row_of_another_shop(shops: list[Sample]) -> None:
    seen, own = shops
    client, foreign = stranger(own), set(marks(seen)) - set(marks(own))
    assert len(foreign) > 10
    asked = min(foreign)
    told = []
    for pattern in urlpatterns:
        if parts_of(pattern) or pattern.name in ("live", "live_ask"):
            continue
        for query in (f"?shop={seen.shop_id}", f"?q={asked}&text={asked}"):
            answer = client.get(reverse(pattern.name or "") + query)
            text = seen_of(answer, "")[2].replace(asked, "")
            told += [f"{pattern.name}{query}: {mark}" for mark in foreign if mark in text][:1]
    assert not told, "\n".join(told)


def test_machines_doors_are_known() -> None:
    """An address for machines names its shop by a secret, and is tried in tests/api."""
    assert {pattern.name for pattern in api_urls.urlpatterns} == {"hook", "mail_hook", "healthz"}


def test_a_table_of_a_shop_checks_what_is_written_as_well(postgres: Any, db: None) -> None:
    """Beside `test_tenancy`: each policy has both halves, and nobody but the application has rights of its own."""
    with psycopg.connect(postgres.conninfo(dbname="bufa")) as owner:
        bare = owner.execute(
            "SELECT tablename FROM pg_policies WHERE schemaname = 'public' AND policyname LIKE '%\\_by\\_shop'"
            " AND (qual IS NULL OR with_check IS NULL OR qual <> with_check OR cmd <> 'ALL')"
        ).fetchall()
        protected = owner.execute("SELECT count(DISTINCT tablename) FROM pg_policies").fetchone()
    assert bare == []
    assert protected is not None
    assert protected[0] >= 50
