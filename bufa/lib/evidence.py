"""An evidence pack as one PDF on A4: what it is about, what we say, tables, photos, other people's PDFs page by page.

Data goes to Typst as JSON, so that no text can become markup. Of a PDF that somebody uploaded its pages are drawn anew:
scripts, forms and attachments inside of it stay behind; one that cannot be drawn is named instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import typst

from bufa.lib.labels import bars, fonts
from bufa.lib.papers import picture, soft

MOST_PHOTOS = 24
MOST_PAGES = 12
MOST_PDF_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `widths` in mm, 0: the room that is left."""

    title: str
    columns: tuple[str, ...]
    widths: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack. `number`: what the barcode holds, "" for none. `facts`: (name, value). `words`: what we say.
    `photos`: (caption, JPEG bytes); `papers`: (name, PDF bytes). `contents`: what is inside, line by line."""

    title: str
    shop: str
    number: str
    facts: tuple[tuple[str, str], ...]
    words: str
    tables: tuple[Table, ...]
    photos: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    papers: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    contents: tuple[str, ...] = ()
    foot: str = ""


def pack_pdf(pack: Pack) -> bytes:
    """The whole pack; each uploaded PDF's pages follow on pages of their own."""
    drawn, broken = _papers(pack.papers)
    told = {
        "title": soft(pack.title),
        "shop": soft(pack.shop),
        "number": pack.number,
        "bars": bars(pack.number) if pack.number and pack.number.isascii() else "",
        "facts": _pairs(pack.facts),
        "words": soft(pack.words),
        "contents": [soft(one) for one in pack.contents],
        "tables": [
            {
                "title": soft(one.title),
                "columns": [soft(name) for name in one.columns],
                "widths": list(one.widths),
                "rows": [[soft(cell) for cell in row] for row in one.rows],
                "note": soft(one.note),
            }
            for one in pack.tables
        ],
        "photos": [[soft(caption), picture(raw)] for caption, raw in pack.photos[:MOST_PHOTOS]],
        "papers": drawn,
        "broken": [soft(name) for name in broken],
        "foot": soft(pack.foot),
    }
    return _compile(_PACK, told)


def _pairs(rows: Iterable[tuple[str, str]]) -> list[list[str]]:
    return [[soft(name), soft(text)] for name, text in rows if text]


def _papers(papers: Sequence[tuple[str, bytes]]) -> tuple[list[dict[str, object]], list[str]]:
    """The pages that can be drawn, and the names of what cannot; never more than `MOST_PAGES` and `MOST_PDF_BYTES`."""
    drawn: list[dict[str, object]] = []
    broken: list[str] = []
    left, room = MOST_PAGES, MOST_PDF_BYTES
    for name, raw in papers:
        pages = pages_of(raw, left) if len(raw) <= room else 0
        if not pages:
            broken.append(name)
            continue
        left, room = left - pages, room - len(raw)
        drawn.append({"name": soft(name), "raw": list(raw), "pages": list(range(1, pages + 1))})
    return drawn, broken


def pages_of(raw: bytes, most: int = MOST_PAGES) -> int:
    """How many pages of a PDF can be drawn, at most `most`; 0 for one that is broken or locked."""
    held = list(raw)
    for page in range(1, most + 1):
        try:
            _compile(_TRY, {"raw": held, "page": page})
        except RuntimeError:
            return page - 1
    return most


def _compile(sheet: str, told: object) -> bytes:
    pdf: bytes = typst.compile(  # type: ignore[misc]  # the stub binds one variable to several unions
        sheet.encode(),
        sys_inputs={"data": json.dumps(told, ensure_ascii=False)},
        font_paths=[fonts()],
        ignore_system_fonts=True,
    )
    return pdf


_TRY = r"""
#let data = json(bytes(sys.inputs.data))
#image(bytes(data.raw), format: "pdf", page: data.page, width: 10mm)
"""

_PACK = r"""
#let data = json(bytes(sys.inputs.data))
#let ink = rgb("#1d2129")
#let faint = rgb("#5c6370")
#let rule = rgb("#b8bec9")
#let tint = rgb("#f3f4f7")
#let label(body) = text(fill: faint, size: 8.5pt, body)
#let heading-of(said) = block(above: 5mm, below: 2mm, sticky: true, text(size: 11.5pt, weight: "bold", said))
#let length-of(said) = if said == 0 { 1fr } else { said * 1mm }
#set document(title: data.title)
#set page(paper: "a4", margin: (x: 16mm, top: 15mm, bottom: 17mm), footer: context {
  set text(size: 7.5pt, fill: faint)
  grid(columns: (1fr, auto), data.foot, counter(page).display("1 / 1", both: true))
})
#set text(font: "Noto Sans SC", size: 9.5pt, lang: "zh", region: "cn", fill: ink)
#set par(leading: 0.62em, spacing: 0.8em, justify: false)
#grid(
  columns: (1fr, 66mm), column-gutter: 8mm, align: (left + horizon, center + horizon),
  [#text(size: 17pt, weight: "bold", data.title) #linebreak() #v(1mm) #label(data.shop)],
  if data.bars != "" {
    image(bytes(data.bars), format: "svg", width: 62mm, height: 13mm, fit: "stretch")
    v(-1mm)
    text(size: 10pt, tracking: 0.6pt, data.number)
  },
)
#line(length: 100%, stroke: 1pt + ink)
#table(
  columns: (30mm, 1fr, 30mm, 1fr), stroke: 0.5pt + rule, inset: (x: 2.4mm, y: 2mm), align: left + horizon,
  fill: (x, y) => if calc.even(x) { tint },
  ..{
    let cells = ()
    let held = none
    for row in data.facts {
      if row.at(1).clusters().len() > 22 {
        if held != none { cells += (label(held.at(0)), held.at(1), [], []); held = none }
        cells += (label(row.at(0)), table.cell(colspan: 3, row.at(1)))
      } else if held == none { held = row } else {
        cells += (label(held.at(0)), held.at(1), label(row.at(0)), row.at(1)); held = none
      }
    }
    if held != none { cells += (label(held.at(0)), table.cell(colspan: 3, held.at(1))) }
    cells
  },
)
#if data.words != "" { heading-of[申诉说明]; block(fill: tint, width: 100%, inset: 3mm, radius: 1mm, data.words) }
#if data.contents.len() > 0 {
  heading-of[材料目录]
  for (at, one) in data.contents.enumerate() [#(at + 1). #one #linebreak()]
}
#for one in data.tables {
  heading-of(one.title)
  if one.rows.len() == 0 { label[没有记录] } else {
    table(
      columns: one.widths.map(length-of), inset: (x: 2mm, y: 1.5mm), align: left + top,
      stroke: (x, y) => (bottom: 0.5pt + rule, top: if y == 0 { 0.5pt + rule }),
      fill: (x, y) => if y == 0 { tint },
      table.header(..one.columns.map(label)),
      ..one.rows.flatten(),
    )
  }
  if one.note != "" { label(one.note) }
}
#if data.photos.len() > 0 {
  heading-of[照片]
  grid(
    columns: (1fr, 1fr), column-gutter: 4mm, row-gutter: 4mm,
    ..data.photos.map(one => block(breakable: false, width: 100%)[
      #box(width: 100%, height: 66mm, stroke: 0.5pt + rule, clip: true, inset: 1mm,
        align(center + horizon, image(bytes(one.at(1)), format: "svg", width: 100%, height: 64mm, fit: "contain")))
      #v(-1mm)
      #label(one.at(0))
    ]),
  )
}
#if data.broken.len() > 0 {
  heading-of[另附]
  for one in data.broken [#one：放不进这份文件，请单独上传。#linebreak()]
}
#for one in data.papers {
  for at in one.pages {
    pagebreak(weak: true)
    label[#one.name　#at / #one.pages.len()]
    v(1mm)
    image(bytes(one.raw), format: "pdf", page: at, width: 100%, height: 246mm, fit: "contain")
  }
}
"""
