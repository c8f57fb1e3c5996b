"""Lists on paper as PDF: what to fetch from the shelves, what a courier signs for, and the codes beside the scanner.

A list is a table with a head and a foot; data goes to Typst as JSON, so that no title can become markup.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import typst

from bufa.lib.labels import SIZES as LABEL_SIZES
from bufa.lib.labels import bars, fonts

SIZES: dict[str, tuple[int, int]] = {"a4": (210, 297), **LABEL_SIZES}
"""Papers: name → width and height in mm. Thermal rolls take the same list, narrower."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `wide`: it takes the room that is left; `code`: drawn as a barcode with its text below; `right`:
    figures."""

    title: str
    wide: bool = False
    code: bool = False
    right: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """One list. `facts`: (name, value) at the top; `signs`: lines to be signed at the bottom."""

    title: str
    code: str
    facts: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: str = ""
    signs: tuple[str, ...] = ()


def paper_pdf(paper: Paper, size: str = "a4") -> bytes:
    """One list, as many pages as it takes. Raises ValueError for another size."""
    if size not in SIZES:
        raise ValueError(f"no such paper: {size}")
    width, height = SIZES[size]
    drawn = [
        [bars(cell) if column.code and cell else "" for column, cell in zip(paper.columns, row, strict=True)]
        for row in paper.rows
    ]
    told = {
        **asdict(paper),
        "width": width,
        "height": height,
        "drawn": drawn,
        "code_bars": bars(paper.code) if paper.code else "",
    }
    pdf: bytes = typst.compile(  # type: ignore[misc]  # the stub binds one variable to several unions
        _PAPER.encode(),
        sys_inputs={"data": json.dumps(told, ensure_ascii=False)},
        font_paths=[fonts()],
        ignore_system_fonts=True,
    )
    return pdf


def codes_pdf(title: str, codes: Sequence[tuple[str, str, str]], hint: str) -> bytes:
    """A sheet of codes to hang beside the scanner: (code, what it does, more)."""
    told = {
        "title": title,
        "hint": hint,
        "codes": [{"bars": bars(code), "code": code, "does": does, "more": more} for code, does, more in codes],
    }
    pdf: bytes = typst.compile(  # type: ignore[misc]  # the stub binds one variable to several unions
        _CODES.encode(),
        sys_inputs={"data": json.dumps(told, ensure_ascii=False)},
        font_paths=[fonts()],
        ignore_system_fonts=True,
    )
    return pdf


_PAPER = r"""
#let data = json(bytes(sys.inputs.data))
#let small = data.width < 150
#set document(title: data.title)
#set page(width: data.width * 1mm, height: data.height * 1mm,
  margin: if small { (x: 3mm, top: 3mm, bottom: 7mm) } else { (x: 12mm, top: 12mm, bottom: 16mm) },
  footer: context text(size: if small { 6pt } else { 8pt })[
    #data.title #data.code #h(1fr) #counter(page).display("1 / 1", both: true)
  ])
#set text(font: "Noto Sans SC", size: if small { 7.5pt } else { 10pt }, lang: "zh", region: "cn")
#set par(leading: 0.5em, spacing: 0.6em)
#let strip(svg, tall) = image(bytes(svg), format: "svg", width: 100%, height: tall, fit: "stretch")
#let coded(svg, said, wide, tall, letters) = box(width: wide)[
  #align(center)[#strip(svg, tall)#text(size: letters, said)]
]
#let head-code = if data.code_bars == "" { [] } else if small {
  coded(data.code_bars, data.code, 26mm, 6mm, 8pt)
} else {
  coded(data.code_bars, data.code, 56mm, 11mm, 8pt)
}
#grid(columns: (1fr, auto), align: (left + horizon, right + horizon),
  text(weight: "bold", size: if small { 11pt } else { 18pt }, data.title), head-code)
#v(1mm)
#for fact in data.facts [#text(fill: luma(90), fact.at(0))：#fact.at(1) #h(1.2em)]
#v(1mm)
#let cell(r, c) = {
  let said = data.rows.at(r).at(c)
  let column = data.columns.at(c)
  if data.drawn.at(r).at(c) != "" {
    let svg = data.drawn.at(r).at(c)
    if small { coded(svg, said, 30mm, 5mm, 6.5pt) } else { coded(svg, said, 48mm, 7mm, 8.5pt) }
  } else if column.right { text(weight: "bold", size: if small { 10pt } else { 13pt }, said) } else { said }
}
#table(
  columns: data.columns.map(one => if one.wide { 1fr } else { auto }),
  align: (c, r) => (if data.columns.at(c).right { right } else { left }) + horizon,
  stroke: (x, y) => (bottom: if y == 0 { 0.8pt } else { 0.3pt + luma(150) }),
  inset: (x: if small { 2pt } else { 4pt }, y: if small { 3pt } else { 5pt }),
  table.header(..data.columns.map(one => text(weight: "bold", fill: luma(60), one.title))),
  ..range(data.rows.len()).map(r => range(data.columns.len()).map(c => cell(r, c))).flatten(),
)
#if data.foot != "" [#v(1mm) #text(weight: "bold", data.foot)]
#if data.signs.len() > 0 {
  v(if small { 4mm } else { 10mm })
  grid(columns: data.signs.map(_ => 1fr), column-gutter: 4mm,
    ..data.signs.map(one => [#one #v(if small { 6mm } else { 10mm }) #line(length: 100%, stroke: 0.6pt)]))
}
"""

_CODES = r"""
#let data = json(bytes(sys.inputs.data))
#set document(title: data.title)
#set page(width: 210mm, height: 297mm, margin: 16mm)
#set text(font: "Noto Sans SC", size: 12pt, lang: "zh", region: "cn")
#text(weight: "bold", size: 22pt, data.title)
#v(4mm)
#for one in data.codes {
  block(width: 100%, inset: 6mm, stroke: 0.6pt, radius: 3mm, breakable: false)[
    #text(weight: "bold", size: 18pt, one.does)
    #v(2mm)
    #box(width: 100mm, image(bytes(one.bars), format: "svg", width: 100%, height: 20mm, fit: "stretch"))
    #v(1mm)
    #text(size: 11pt)[#one.code #h(1em) #one.more]
  ]
  v(4mm)
}
#text(fill: luma(80), data.hint)
"""
