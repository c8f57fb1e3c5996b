"""Insights: how long until the customer was whole and who was waited for, what was found, money, carriers, branches."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import xlsxwriter
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import localtime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.apps.cases import insights
from bufa.apps.cases.insights import Group, Insights
from bufa.apps.claims import queries as claims
from bufa.apps.notices import customer_page, promises, told_first
from bufa.apps.reissues import queries as reissues
from bufa.lib import clock
from bufa.lib.cells import safe
from bufa.lib.shelf import together
from bufa.web.desk import Desk, desk
from bufa.web.forms import Choices
from bufa.web.words import carrier, span, word

DAYS = 30
PROMISES = ("kept", "moved", "broken", "void", "running")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _date() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class WordKept:
    """How well the customer's side was looked after in a span."""

    promises: promises.Ledger
    first: told_first.ToldFirst
    success: reissues.Success
    satisfaction: customer_page.Satisfaction


class Range(Choices):
    """Shop and days, in the address."""

    shop = forms.ChoiceField(label=_("店铺"), required=False)
    first = forms.DateField(label=_("从"), required=False, widget=_date())
    last = forms.DateField(label=_("到"), required=False, widget=_date())

    def __init__(self, *args: Any, shops: dict[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("shop", [(str(key), name) for key, name in shops.items()], blank=_now("全部"))

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        first, last = said.get("first"), said.get("last")
        if first and last and first > last:
            self.add_error("last", _now("要在开始那天以后"))
        elif first and last and last - first > insights.LONGEST:
            self.add_error("last", _now("一次最多看 %(n)d 天") % {"n": insights.LONGEST.days})
        return said


def _asked(request: HttpRequest) -> tuple[Desk, Range, list[int], date, date]:
    here = desk(request)
    today = localtime(clock.now()).date()
    first, last = today - timedelta(days=DAYS - 1), today
    given = {"first": first.isoformat(), "last": last.isoformat(), "shop": ""}
    given |= {key: value for key in given if (value := request.GET.get(key))}
    form = Range(given, shops=here.names, auto_id="id_range_%s")
    chosen = here.shops
    if form.is_valid():
        said = form.cleaned_data
        first, last = said["first"] or first, said["last"] or last
        if said["shop"]:
            chosen = [int(said["shop"])]
    return here, form, chosen, first, last


def page(request: HttpRequest) -> HttpResponse:
    _here, form, chosen, first, last = _asked(request)
    found = insights.read(chosen, first, last, claims.paid_by_day(chosen, first, last))
    said = {
        "form": form,
        "found": found,
        "kept": _word_kept(chosen, first, last),
        "waits": [(word("waiting", party), _hours(wait), span(wait), "") for party, wait in found.waits.items()],
        "rules": [(word("rule", one.rule), one.findings, str(one.findings), "") for one in found.rules[:8]],
        "carriers": [(carrier(one.key), one.cases, str(one.cases), "") for one in found.carriers[:8]],
        "lost": [day.lost_fen for day in found.days],
        "saved": [day.saved_fen for day in found.days],
        "opened": [day.opened for day in found.days],
        "closed": [day.closed for day in found.days],
        "export": request.GET.urlencode(),
    }
    return render(request, "web/insights/page.html", said, status=422 if form.errors else 200)


def _word_kept(chosen: list[int], first: date, last: date) -> WordKept:
    since, until = insights.instants(first, last)
    together(
        partial(promises.ledger, chosen, since, until),
        partial(reissues.success, chosen, since, until),
        partial(customer_page.satisfaction, chosen, since, until),
    )
    return WordKept(
        promises.ledger(chosen, since, until),
        told_first.read(chosen, since, until),
        reissues.success(chosen, since, until),
        customer_page.satisfaction(chosen, since, until),
    )


def export(request: HttpRequest) -> HttpResponse:
    """The same as a workbook, a sheet for each table."""
    _here, _form, chosen, first, last = _asked(request)
    found = insights.read(chosen, first, last, claims.paid_by_day(chosen, first, last))
    response = HttpResponse(
        workbook([*_sheets(found), _kept_sheet(_word_kept(chosen, first, last))]), content_type=XLSX
    )
    response["Content-Disposition"] = f'attachment; filename="bufa-{first:%Y%m%d}-{last:%Y%m%d}.xlsx"'
    return response


def workbook(sheets: Sequence[tuple[str, list[list[Any]]]]) -> bytes:
    """An xlsx with a sheet for each table, its first row the heads."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name[:31])
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, [safe(cell) if isinstance(cell, str) else cell for cell in row])
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(rows[0]) - 1, 18)
    return out.getvalue()


def _sheets(found: Insights) -> list[tuple[str, list[list[Any]]]]:
    def fen(value: int) -> float:
        return value / 100

    def hours(wait: timedelta | None) -> float | str:
        return "" if wait is None else _hours(wait)

    heads = [_now("名字"), _now("承运商"), _now("案件"), _now("已结案"), _now("多久办好（小时，中位）"), _now("丢失")]
    heads += [_now("破损"), _now("应赔（元）")]

    def grouped(rows: Iterable[Group], *, named: bool) -> list[list[Any]]:
        table: list[list[Any]] = [heads]
        for one in rows:
            name = carrier(one.key) if named else one.key
            counts = [one.cases, one.closed, hours(one.took), one.lost, one.damaged, fen(one.cost_fen)]
            table.append([name, carrier(one.carrier), *counts])
        return table

    return [
        (
            _now("每天"),
            [
                [_now("日期"), _now("立案"), _now("结案"), _now("应赔（元）"), _now("承运商赔付（元）")],
                *([d.day.isoformat(), d.opened, d.closed, fen(d.lost_fen), fen(d.saved_fen)] for d in found.days),
            ],
        ),
        (
            _now("等谁"),
            [
                [_now("等谁"), _now("平均小时")],
                *([word("waiting", key), _hours(wait)] for key, wait in found.waits.items()),
            ],
        ),
        (
            _now("异常"),
            [
                [_now("异常"), _now("个数"), _now("不是异常"), _now("应赔（元）")],
                *([word("rule", one.rule), one.findings, one.dismissed, fen(one.payout_fen)] for one in found.rules),
            ],
        ),
        (_now("承运商"), grouped(found.carriers, named=True)),
        (_now("网点"), grouped(found.branches, named=False)),
    ]


def _kept_sheet(kept: WordKept) -> tuple[str, list[list[Any]]]:
    told, success, first = kept.promises, kept.success, kept.first
    rows: list[list[Any]] = [[_now("项目"), _now("个数")]]
    rows += [[f"{_now('答应的日期')}：{word('promise', state)}", getattr(told, state)] for state in PROMISES]
    rows += [
        [_now("我们先说的案件"), first.told_first],
        [_now("说过话的案件"), first.spoken],
        [_now("补发件送到了"), success.arrived],
        [_now("补发件没有送到"), success.failed],
        [_now("补发件在路上"), success.under_way],
        [_now("评价的客户"), kept.satisfaction.said],
        [_now("平均几颗星"), "" if kept.satisfaction.stars is None else round(kept.satisfaction.stars, 2)],
    ]
    return _now("对客户"), rows


def _hours(wait: timedelta) -> float:
    return round(wait.total_seconds() / 3600, 1)
