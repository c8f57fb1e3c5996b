"""How carriers, their branches and routes did: answers, promises, losses, payments. Facts and numbers, no marks."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial
from typing import Any

import xlsxwriter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from bufa.apps.claims import scorecard
from bufa.apps.claims.scorecard import Losses
from bufa.apps.negotiations import scores
from bufa.apps.negotiations.scores import Score
from bufa.domain.scorecards import FEW_ANSWERS, FEW_CLAIMS, FEW_PARCELS, Level, share
from bufa.lib import clock
from bufa.lib.cells import safe
from bufa.lib.shelf import together
from bufa.web.claims import download
from bufa.web.desk import Desk, desk
from bufa.web.words import carrier as carrier_name
from bufa.web.words import place, word

SHOWN = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One carrier, branch or route. `is_few`: its parcels are too few for a rate to say much."""

    carrier: str
    name: str
    lost: Losses
    talk: Score

    @property
    def lost_share(self) -> float | None:
        return share(self.lost.lost, self.lost.parcels)

    @property
    def damaged_share(self) -> float | None:
        return share(self.lost.damaged, self.lost.parcels)

    @property
    def paid_share(self) -> float | None:
        return share(self.lost.paid_fen, self.lost.asked_fen)

    @property
    def few(self) -> bool:
        return self.lost.parcels < FEW_PARCELS

    @property
    def few_answers(self) -> bool:
        return self.talk.asked < FEW_ANSWERS

    @property
    def few_claims(self) -> bool:
        return self.lost.claims < FEW_CLAIMS


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    level = Level(request.GET["by"]) if request.GET.get("by") in set(Level) else Level.CARRIER
    rows = _rows(here)[level]
    said = {
        "rows": rows[:SHOWN],
        "more": max(0, len(rows) - SHOWN),
        "level": level.value,
        "levels": [each.value for each in Level],
        "days": scores.DAYS,
        "most": scorecard.MOST,
    }
    return render(request, "web/carriers/scorecard.html", said)


def _rows(here: Desk) -> dict[Level, list[Row]]:
    """Every level, those with the most parcels first."""
    now = clock.now()
    together(partial(scores.by_level, here.shops, now))
    talk, lost = scores.by_level(here.shops, now), scorecard.losses(here.shops)
    found: dict[Level, list[Row]] = {}
    for level in Level:
        keys = {*talk[level], *lost[level]}
        rows = [Row(key[0], key[1], lost[level].get(key, Losses()), talk[level].get(key, Score())) for key in keys]
        found[level] = sorted(rows, key=lambda row: (-row.lost.parcels, row.carrier, row.name))
    return found


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The three tables as a workbook."""
    heads = [
        _("承运商"), _("网点或线路"), _("包裹"), _("丢失"), _("丢失率"), _("破损短少"), _("破损率"), _("问过"),
        _("答复"), _("答复小时（中位）"), _("承诺"), _("守约"), _("索赔件数"), _("要求（元）"), _("已赔（元）"),
        _("赔付率"), _("说明"),
    ]  # fmt: skip
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        for level, rows in _rows(desk(request)).items():
            sheet = book.add_worksheet(word("score_level", level.value)[:31])
            sheet.write_row(0, 0, heads)
            for at, row in enumerate(rows, start=1):
                sheet.write_row(at, 0, _line(row))
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(heads) - 1, 14)
    return download(out.getvalue(), "bufa-carriers.xlsx")


def _line(row: Row) -> list[Any]:
    lost, talk = row.lost, row.talk
    return [
        carrier_name(row.carrier), safe(place(row.name)), lost.parcels, lost.lost, _part(row.lost_share), lost.damaged,
        _part(row.damaged_share), talk.asked, talk.answered, "" if talk.answer_hours is None else talk.answer_hours,
        talk.promises, talk.kept, lost.claims, lost.asked_fen / 100, lost.paid_fen / 100, _part(row.paid_share),
        _("样本少") if row.few else "",
    ]  # fmt: skip


def _part(part: float | None) -> float | str:
    return "" if part is None else round(part, 4)
