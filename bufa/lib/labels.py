"""Labels for reissued parcels as PDF: our number and the waybill as barcodes, one page a parcel, cut to thermal paper.

Data goes to Typst as JSON, so that no title can become markup. The recipient stands masked: the carrier's own label,
which the platform prints, carries the plain address.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_cn
import typst
import zxingcpp

SIZES: dict[str, tuple[int, int]] = {"76x130": (76, 130), "100x150": (100, 150), "100x180": (100, 180)}
"""Thermal papers of the trade: name → width and height in mm."""

DEFAULT_SIZE = "76x130"
MOST_LINES = 8


@dataclass(frozen=True, slots=True)
class Label:
    """What one label says. `items`: (title with spec, pieces). `to`: place and masks of the recipient, `from_`: where
    the carrier collects it. `note`: a line for the packer, "" for none."""

    shop: str
    code: str
    carrier: str
    number: str
    order_number: str
    to: str
    from_: str
    items: tuple[tuple[str, int], ...]
    round: int = 1
    note: str = ""


def labels_pdf(labels: Sequence[Label], size: str = DEFAULT_SIZE) -> bytes:
    """One PDF with a page a label, in the order given. Raises ValueError for no labels or an unknown size."""
    if not labels:
        raise ValueError("no labels to print")
    if size not in SIZES:
        raise ValueError(f"no such paper: {size}")
    width, height = SIZES[size]
    told = {"width": width, "height": height, "labels": [_told(label) for label in labels]}
    pdf: bytes = typst.compile(  # type: ignore[misc]  # the stub binds one variable to several unions
        _SHEET.encode(),
        sys_inputs={"data": json.dumps(told, ensure_ascii=False)},
        font_paths=[fonts()],
        ignore_system_fonts=True,
    )
    return pdf


def _told(label: Label) -> dict[str, object]:
    items = [[title, pieces] for title, pieces in label.items[:MOST_LINES]]
    return {
        **asdict(label),
        "items": items,
        "more": len(label.items) - len(items),
        "pieces": sum(pieces for _title, pieces in label.items),
        "code_bars": bars(label.code),
        "number_bars": bars(label.number) if label.number else "",
    }


def bars(text: str) -> str:
    """Code 128 as SVG, with its quiet zones. Raises ValueError for text that Code 128 can't hold."""
    return str(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_svg(add_quiet_zones=True))


@cache
def fonts() -> str:
    return str(Path(pylopdf_fonts_zh_cn.__file__).parent)


_SHEET = r"""
#let data = json(bytes(sys.inputs.data))
#let small = data.width < 90
#let unit = if small { 1pt } else { 1.25pt }
#set document(title: "补发标签")
#set page(width: data.width * 1mm, height: data.height * 1mm, margin: 4mm)
#set text(font: "Noto Sans SC", size: 8 * unit, lang: "zh", region: "cn")
#set par(leading: 0.5em, spacing: 0.6em)
#let strip(svg, tall) = image(bytes(svg), format: "svg", width: 100%, height: tall, fit: "stretch")
#let line-across = line(length: 100%, stroke: 0.6pt)
#let faint(body) = text(size: 6.5 * unit, body)
#let page-of(label) = {
  grid(columns: (1fr, auto), align: (left + horizon, right + horizon),
    text(weight: "bold", size: 9 * unit, label.shop), text(size: 9 * unit)[补发 · 第 #label.round 轮])
  v(1mm)
  line-across
  v(0.5mm)
  strip(label.code_bars, if small { 13mm } else { 18mm })
  align(center, text(size: 17 * unit, tracking: 0.8pt, weight: "bold", label.code))
  faint(align(center)[补发单号])
  line-across
  v(0.5mm)
  if label.number_bars != "" {
    strip(label.number_bars, if small { 12mm } else { 16mm })
    align(center, text(size: 11 * unit)[#label.carrier #h(0.6em) #label.number])
  } else {
    align(center, text(size: 11 * unit)[#label.carrier 运单号未定])
  }
  line-across
  grid(columns: (auto, 1fr), column-gutter: 2mm, row-gutter: 1.6mm,
    faint[订单], label.order_number, faint[收], label.to, faint[取件], label.from_)
  line-across
  grid(columns: (1fr, auto), column-gutter: 3mm, row-gutter: 1.6mm,
    ..label.items.map(one => (one.at(0), text(weight: "bold")[× #one.at(1)])).flatten())
  if label.more > 0 { faint[还有 #label.more 种，见系统] }
  v(1fr)
  grid(columns: (1fr, auto), faint(label.note), faint[共 #label.pieces 件])
}
#for (at, label) in data.labels.enumerate() {
  if at > 0 { pagebreak() }
  page-of(label)
}
"""
