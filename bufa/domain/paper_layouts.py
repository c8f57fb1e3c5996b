"""Layouts of papers as plain words: what a user can edit and nothing can break.

A layout holds texts with names in braces. Filling in never interprets anything else, so that a title with odd signs
stays a title; what a paper looks like is decided where it is drawn.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from bufa.domain.outcome import Refused


class Written(StrEnum):
    """Papers that we write ourselves."""

    APPLICATION = "application"
    ORDER_INFO = "order_info"


FIELDS = (
    "店铺", "承运商", "运单号", "补发单号", "订单编号", "案件号", "异常原因", "揽收时间", "最后轨迹", "寄出地",
    "收件地区", "收件人", "改后地址", "货值", "要求赔付", "运费", "付款时间", "取件地址", "答复期限", "依据", "说明",
    "今天",
)  # fmt: skip
"""Names that can stand in braces. Carriers read Chinese, so the names do, too."""

MOST_ROWS, MOST_TEXT, MOST_SIGNS = 30, 400, 6
_NAME = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Layout:
    """`rows` are (label, text). `carriers` empty: the neutral layout."""

    paper: Written
    title: str
    intro: str
    rows: tuple[tuple[str, str], ...]
    ask: str
    closing: str
    signs: tuple[str, ...]
    items: bool = True
    photos: bool = True
    carriers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """A layout with everything filled in."""

    title: str
    intro: str
    rows: tuple[tuple[str, str], ...]
    ask: str
    closing: str
    signs: tuple[str, ...]
    items: bool
    photos: bool


@cache
def defaults() -> tuple[Layout, ...]:
    """The layouts that come with the product."""
    text = files("bufa.domain").joinpath("rulebooks/paper_layouts.toml").read_text(encoding="utf-8")
    return tuple(read_layout(row) for row in tomllib.loads(text)["layout"])


def default_for(paper: Written, carrier: str) -> Layout:
    """The carrier's layout, else the neutral one."""
    fitting = [one for one in defaults() if one.paper is paper and (carrier in one.carriers or not one.carriers)]
    return max(fitting, key=lambda one: bool(one.carriers))


def read_layout(row: Mapping[str, Any]) -> Layout:
    """A stored layout. Raises Refused: layout_title_missing, layout_rows (most), layout_text_too_long (most, text),
    layout_unknown_field (fields), layout_signs (most)."""
    rows = tuple(_row(line) for line in row.get("rows", ()) if str(line).strip())
    layout = Layout(
        paper=Written(row["paper"]),
        title=str(row.get("title", "")).strip(),
        intro=str(row.get("intro", "")).strip(),
        rows=rows,
        ask=str(row.get("ask", "")).strip(),
        closing=str(row.get("closing", "")).strip(),
        signs=tuple(str(one).strip() for one in row.get("signs", ()) if str(one).strip()),
        items=bool(row.get("items", True)),
        photos=bool(row.get("photos", True)),
        carriers=tuple(str(one) for one in row.get("carriers", ())),
    )
    _check(layout)
    return layout


def _row(line: Any) -> tuple[str, str]:
    label, _, text = str(line).replace("：", ":", 1).partition(":")
    return label.strip(), text.strip()


def _check(layout: Layout) -> None:
    if not layout.title:
        raise Refused("layout_title_missing")
    if not 1 <= len(layout.rows) <= MOST_ROWS:
        raise Refused("layout_rows", most=MOST_ROWS)
    if len(layout.signs) > MOST_SIGNS:
        raise Refused("layout_signs", most=MOST_SIGNS)
    texts = [layout.title, layout.intro, layout.ask, layout.closing, *layout.signs]
    texts += [part for row in layout.rows for part in row]
    for text in texts:
        if len(text) > MOST_TEXT:
            raise Refused("layout_text_too_long", most=MOST_TEXT, text=text[:20])
    unknown = sorted({name for text in texts for name in _NAME.findall(text) if name not in FIELDS})
    if unknown:
        raise Refused("layout_unknown_field", fields=[f"{{{name}}}" for name in unknown])


def lines_of(layout: Layout) -> list[str]:
    """Its rows as they are edited: "label: text"."""
    return [f"{label}: {text}" for label, text in layout.rows]


def fill(layout: Layout, values: Mapping[str, str]) -> Filled:
    """Everything filled in. A row with names in it, all of them empty, is left out; one without names stays, to be
    written on by hand."""

    def put(text: str) -> str:
        return _NAME.sub(lambda found: values.get(found[1], ""), text)

    rows = [(put(label), put(text)) for label, text in layout.rows if _says_something(text, values)]
    closing = put(layout.closing) if _says_something(layout.closing, values) else ""
    return Filled(
        put(layout.title).strip(), put(layout.intro), tuple(rows), put(layout.ask), closing,
        tuple(put(one) for one in layout.signs), layout.items, layout.photos,
    )  # fmt: skip


def _says_something(text: str, values: Mapping[str, str]) -> bool:
    names: Iterable[str] = _NAME.findall(text)
    return not list(names) or any(values.get(name, "").strip() for name in _NAME.findall(text))
