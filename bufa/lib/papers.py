"""Papers for carriers as PDF on A4: a filled layout, the waybill as barcode, goods, photos, boxes to sign in.

Data goes to Typst as JSON, so that no text can become markup; photos ride in as pictures inside of SVG, so that none is
ever written to a disk.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import typst
from PIL import Image

from bufa.domain.paper_layouts import Filled
from bufa.lib.labels import bars, fonts

MOST_PHOTOS = 12
PHOTO_PX = 1000
_LONG_RUN = re.compile(r"[^\s\u2e80-\u9fff\uff00-\uffef]{18,}")


@dataclass(frozen=True, slots=True)
class Item:
    """One kind of goods. `amount`: its money as text."""

    title: str
    spec: str
    pieces: int
    amount: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper. `number`: what the barcode holds, "" for none. `photos`: (caption, JPEG bytes). `foot`: small at
    the bottom of each page."""

    filled: Filled
    shop: str
    number: str
    items: tuple[Item, ...] = ()
    photos: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    foot: str = ""


def papers_pdf(papers: Sequence[Paper]) -> bytes:
    """One PDF, each paper on pages of its own. Raises ValueError for no papers."""
    if not papers:
        raise ValueError("no papers to write")
    pdf: bytes = _compile(papers, "pdf")
    return pdf


def paper_png(paper: Paper, ppi: int = 84) -> bytes:
    """The first page of one paper as a picture, to look at while its layout is changed."""
    pages = _compile([paper], "png", ppi)
    first: bytes = pages[0] if isinstance(pages, list) else pages
    return first


def _compile(papers: Sequence[Paper], form: Literal["pdf", "png"], ppi: int | None = None) -> Any:
    return typst.compile(  # type: ignore[misc]  # the stub binds one variable to several unions
        _SHEET.encode(),
        format=form,
        ppi=ppi,
        sys_inputs={"data": json.dumps({"papers": [_told(one) for one in papers]}, ensure_ascii=False)},
        font_paths=[fonts()],
        ignore_system_fonts=True,
    )


def _told(paper: Paper) -> dict[str, object]:
    filled = asdict(paper.filled)
    filled["rows"] = [[soft(label), soft(text)] for label, text in paper.filled.rows]
    for name in ("title", "intro", "ask", "closing"):
        filled[name] = soft(filled[name])
    filled["signs"] = [soft(one) for one in paper.filled.signs]
    items = paper.items if paper.filled.items else ()
    photos = paper.photos[:MOST_PHOTOS] if paper.filled.photos else ()
    return filled | {
        "shop": soft(paper.shop),
        "number": paper.number,
        "bars": bars(paper.number) if paper.number.isascii() and paper.number else "",
        "items": [[soft(one.title), soft(one.spec), str(one.pieces), one.amount] for one in items],
        "pieces": sum(one.pieces for one in items),
        "photos": [[soft(caption), picture(raw)] for caption, raw in photos],
        "foot": soft(paper.foot),
    }


def soft(text: str) -> str:
    """Long runs without a place to break get some, so that nothing runs over an edge."""
    return _LONG_RUN.sub(lambda run: "\u200b".join(run[0][at : at + 6] for at in range(0, len(run[0]), 6)), text)


def picture(raw: bytes) -> str:
    """A JPEG as SVG, small enough for print. The bytes are those of our own store: written anew when they came in."""
    with Image.open(io.BytesIO(raw), formats=["JPEG"]) as opened:
        small = opened.convert("RGB")
        small.thumbnail((PHOTO_PX, PHOTO_PX))
        out = io.BytesIO()
        small.save(out, "JPEG", quality=82)
    width, height = small.size
    held = base64.b64encode(out.getvalue()).decode()
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" xlink:href="data:image/jpeg;base64,{held}"/></svg>'
    )


_SHEET = r"""
#let data = json(bytes(sys.inputs.data))
#let ink = rgb("#1d2129")
#let faint = rgb("#5c6370")
#let rule = rgb("#b8bec9")
#let tint = rgb("#f3f4f7")
#set document(title: "承运商材料")
#set text(font: "Noto Sans SC", size: 9.5pt, lang: "zh", region: "cn", fill: ink)
#set par(leading: 0.62em, spacing: 0.8em, justify: false)
#let label(body) = text(fill: faint, size: 8.5pt, body)
#let cell-of(row) = (label(row.at(0)), if row.at(1) == "" { v(5mm) } else { row.at(1) })
#let head(paper) = grid(
  columns: (1fr, 66mm), column-gutter: 8mm, align: (left + horizon, center + horizon),
  [#text(size: 17pt, weight: "bold", paper.title) #linebreak() #v(1mm) #label(paper.shop)],
  if paper.bars != "" {
    image(bytes(paper.bars), format: "svg", width: 62mm, height: 13mm, fit: "stretch")
    v(-1mm)
    text(size: 10pt, tracking: 0.6pt, paper.number)
  },
)
#let facts(paper) = table(
  columns: (28mm, 1fr, 28mm, 1fr), stroke: 0.5pt + rule, inset: (x: 2.4mm, y: 2mm), align: left + horizon,
  fill: (x, y) => if calc.even(x) { tint },
  ..{
    let cells = ()
    let held = none
    for row in paper.rows {
      let long = row.at(1).clusters().len() > 22 or row.at(0).clusters().len() > 9
      if long {
        if held != none { cells += (..cell-of(held), [], []); held = none }
        cells += (label(row.at(0)), table.cell(colspan: 3, if row.at(1) == "" { v(5mm) } else { row.at(1) }))
      } else if held == none { held = row } else { cells += (..cell-of(held), ..cell-of(row)); held = none }
    }
    if held != none {
      cells += (label(held.at(0)), table.cell(colspan: 3, if held.at(1) == "" { v(5mm) } else { held.at(1) }))
    }
    cells
  },
)
#let goods(paper) = table(
  columns: (8mm, 1fr, 38mm, 16mm, 24mm), stroke: (x, y) => (bottom: 0.5pt + rule, top: if y == 0 { 0.5pt + rule }),
  inset: (x: 2mm, y: 1.6mm),
  align: (center + horizon, left + horizon, left + horizon, right + horizon, right + horizon),
  fill: (x, y) => if y == 0 { tint },
  table.header(label[序], label[内件], label[规格], label[数量], label[金额]),
  ..paper.items.enumerate().map(((at, one)) => (str(at + 1), one.at(0), one.at(1), one.at(2), one.at(3))).flatten(),
  table.footer(repeat: false, [], label[合计], [], text(weight: "bold", str(paper.pieces)), []),
)
#let pictures(paper) = grid(
  columns: (1fr, 1fr, 1fr), column-gutter: 4mm, row-gutter: 4mm,
  ..paper.photos.map(one => block(breakable: false, width: 100%)[
    #box(width: 100%, height: 46mm, stroke: 0.5pt + rule, clip: true, inset: 1mm,
      align(center + horizon, image(bytes(one.at(1)), format: "svg", width: 100%, height: 44mm, fit: "contain")))
    #v(-1mm)
    #label(one.at(0))
  ]),
)
#let signatures(paper) = block(breakable: false, width: 100%, grid(
  columns: range(paper.signs.len()).map(_ => 1fr), column-gutter: 4mm,
  ..paper.signs.map(one => rect(width: 100%, height: 30mm, stroke: 0.5pt + rule, inset: 2.4mm)[
    #label(one) #v(1fr) #label[签字 / 盖章#h(1fr)年#h(2em)月#h(2em)日]
  ]),
))
#for (at, paper) in data.papers.enumerate() {
  set page(paper: "a4", margin: (x: 16mm, top: 15mm, bottom: 17mm), footer: context {
    set text(size: 7.5pt, fill: faint)
    grid(columns: (1fr, auto), paper.foot, [#counter(page).get().first()])
  })
  counter(page).update(1)
  head(paper)
  line(length: 100%, stroke: 1pt + ink)
  if paper.intro != "" { paper.intro }
  facts(paper)
  if paper.items.len() > 0 { v(1mm); goods(paper) }
  if paper.ask != "" { v(1mm); block(fill: tint, width: 100%, inset: 3mm, radius: 1mm, strong(paper.ask)) }
  if paper.closing != "" { label(paper.closing) }
  if paper.signs.len() > 0 { v(2mm); signatures(paper) }
  if paper.photos.len() > 0 { v(3mm); text(weight: "bold")[照片]; pictures(paper) }
}
"""
