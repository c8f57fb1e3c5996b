"""Every page of the desk in both languages: what is not data is said in the language of whoever reads.

Data is what the database holds; anything Chinese on an English page that stands nowhere in it is a string of ours that
nobody translated, and so is an English word on a Chinese page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client

from tests import conftest
from tests.browser.register import PAGES, Seen
from tests.factories.sample import Sample

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile(r"[\u3400-\u9fff]+")
LATIN = re.compile(r"[A-Za-z][A-Za-z'’]{2,}")
ADDRESS = re.compile(r"(?:https?://|/[mq]/)\S+|\b1-[\w-]{16,}")
SPOKEN = ("placeholder", "title", "aria-label", "alt")

OURS = {"补", "发", "补发", "简体中文", "中文", "退订"}
"""The brand, the names of the other language in that language, and the word by which a customer takes no more SMS."""

COLUMNS = """运单号 金额 订单编号 补发运单号 补发承运商 补发商品 案件号
开始日期 结束日期 平台也停 哪一端 名称 区县 依据"""
"""What heads the columns of sheets that come in."""

NAMES = """Bufa English Doudian EMS TRACK EBusinessID salt code app key App Key Secret secret Webhook webhook token
company_code Enter Esc Ctrl SMS SMTP IMAP TLS STARTTLS API URL https http PDF xlsx csv jsonl json JSON UTF GBK SKU sku
JPEG PNG HEIC Authentication Results SEC AccessKey SecretId SecretKey SmsSdkAppId"""
"""Names of things that are called the same in Chinese: products, formats, fields of other people's pages."""

WORDS = "显示武汉好几天了，周四要用。好的，等着。客户急用。客户说收到了。浙江省杭州市余杭区仓前街道未来路"
"""What people of the sample shop said (sealed where it is kept), and the parts of an address, joined."""


EMPTY = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Said(HTMLParser):
    """What a person reads or hears of a page, less what is marked as being in a language of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._left_out: list[bool] = [False]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        marked = tag in ("script", "style") or (tag != "html" and "lang" in dict(attrs))
        out = marked or self._left_out[-1]
        if not out:
            self.texts += [value for name, value in attrs if value and (name in SPOKEN or name.startswith("data-said"))]
        if tag not in EMPTY:
            self._left_out.append(out)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self._left_out.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY and len(self._left_out) > 1:
            self._left_out.pop()

    def handle_data(self, data: str) -> None:
        if not self._left_out[-1]:
            self.texts.append(data)


LABELS = {"th", "button", "summary", "h1", "h2", "h3", "label", "legend", "option", "dt"}
"""What stands for itself: in English it begins with a capital letter, and no other word of it does but names."""

SMALL = ("csv", "xlsx", "jsonl")


class Labels(HTMLParser):
    """The words at the head of each label of a page, badges among them; keys and icons in it don't count."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._wanted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in EMPTY:
            return
        known = dict(attrs)
        classes = (known.get("class") or "").split()
        marked = "lang" in known or "mono" in classes or tag in ("kbd", "svg")
        self._open.append((tag, marked))
        if not marked and (tag in LABELS or "badge" in classes):
            self._wanted = True

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Holds no words."""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag in LABELS or tag in ("span", "a"):
            self._wanted = False

    def handle_data(self, data: str) -> None:
        text = data.strip()
        if not text or not self._wanted or any(marked for _, marked in self._open):
            return
        self._wanted = False
        self.found.append(text)


def small_labels(page: str, data: str) -> list[str]:
    """Labels that begin with a small letter and are none of the shop's own words."""
    reader = Labels()
    reader.feed(page)
    return [text for text in reader.found if text[0].islower() and not text.startswith(SMALL) and text not in data]


def said(page: str) -> str:
    reader = Said()
    reader.feed(page)
    assert len(reader._left_out) == 1, "the page leaves an element open"
    return "\n".join(reader.texts)


def held() -> str:
    """Everything that stands in the database and in the dated books of rules, as one text."""
    with conftest._as_owner() as owner:
        tables = [name for name in conftest._tables() if not name.startswith(("django_", "auth_", "procrastinate_"))]
        rows = [row for name in tables for row in owner.execute(f'SELECT t::text FROM "{name}" t'.encode()).fetchall()]
    books = [path.read_text("utf-8") for path in (ROOT / "bufa" / "domain").rglob("*.toml")]
    return "\n".join([*(str(text) for (text,) in rows), *books])


def is_ours(run: str, data: str) -> bool:
    return run in OURS or run in COLUMNS.split() or run in data or run in WORDS


def pages(client: Client, sample: Sample) -> Iterator[tuple[Seen, str]]:
    for seen in PAGES:
        if seen.signed_in:
            answer = client.get(seen.address(sample))
            assert answer.status_code == seen.status, seen.label
            yield seen, answer.content.decode()


def sign_in(sample: Sample, language: str) -> Client:
    client = Client()
    client.post("/sign-in/", {"username": sample.people["owner"], "password": "right-horse-battery"})
    client.post("/my-language/", {"language": language})
    return client


@pytest.mark.django_db(transaction=True)
def test_no_string_of_ours_is_left_in_the_other_language(whole_sample: Sample) -> None:
    data = held()
    wrong = []
    for seen, page in pages(sign_in(whole_sample, "en"), whole_sample):
        wrong += [f"{seen.label}, in English: {run}" for run in CHINESE.findall(said(page)) if not is_ours(run, data)]
        wrong += [f"{seen.label}, begins with a small letter: {text}" for text in small_labels(page, data)]
    for seen, page in pages(sign_in(whole_sample, "zh-hans"), whole_sample):
        words = {
            word
            for word in LATIN.findall(ADDRESS.sub("", said(page)))
            if word not in NAMES.split() and word not in data
        }
        wrong += [f"{seen.label}, in Chinese: {word}" for word in sorted(words)]
    assert not wrong, "\n".join(dict.fromkeys(wrong))
