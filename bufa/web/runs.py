"""One act on many cases: chosen in the list or found by pasted numbers, looked through, done, taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import run_queries, runs
from bufa.apps.cases.run_queries import Run
from bufa.apps.shops import queries as shops
from bufa.domain.many import MEASURES, MOST, NEEDS_WORDS, ManyAct
from bufa.domain.outcome import Refused
from bufa.jobs.runs import work_off
from bufa.web import cases_picked
from bufa.web.desk import Desk, actor, back_to, desk, tell, tell_refusal
from bufa.web.finding_forms import HOURS, SCAN
from bufa.web.forms import Choices
from bufa.web.words import label, word

AT_ONCE_S = 1.0
"""So long a run is worked off before the page answers; the rest goes on by itself."""


class ManyForm(Choices):
    """What to do with the cases that were picked."""

    key = forms.CharField(max_length=40, widget=forms.HiddenInput)
    act = forms.ChoiceField(label=_("做什么"))
    owner = forms.ChoiceField(label=_("交给谁"), required=False)
    until = forms.ChoiceField(label=_("什么时候再看"), required=False)
    measure = forms.ChoiceField(label=_("哪个措施"), required=False)
    reason = forms.CharField(
        label=_("原因或备注"), required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, people: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("act", [(each.value, label("many_act", each.value)) for each in ManyAct])
        named = [(str(key), name) for key, name in people.items()]
        self.choose("owner", [("me", _now("我自己")), *named, ("none", _now("没有人"))])
        later = [(str(n), _now("%(n)d 小时后再看") % {"n": n}) for n in HOURS]
        self.choose("until", [(SCAN, _now("有新轨迹再看")), *later])
        self.choose("measure", [(each.value, label("measure", each.value)) for each in MEASURES])

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if said.get("act") in NEEDS_WORDS and not said.get("reason", "").strip():
            self.add_error("reason", _now("写一句原因，同事会看到"))
        return said

    def params(self, me: int) -> dict[str, Any]:
        said = self.cleaned_data
        owner = {"me": me, "none": None}.get(said["owner"], said["owner"])
        hours = said["until"] if said["until"] != SCAN else None
        return {"owner": int(owner) if owner else None, "hours": hours, "measure": said["measure"]}


def people_of(here: Desk) -> dict[int, str]:
    """Everybody who works in the shops at hand."""
    return {one.operator_id: one.display_name or one.login for one in shops.members(here.shops) if one.is_active}


def fresh_form(here: Desk, people: Mapping[int, str]) -> ManyForm:
    others = {key: name for key, name in people.items() if key != here.operator_id}
    return ManyForm(auto_id="id_many_%s", people=others, initial={"key": uuid4().hex})


@require_POST
def look_through(request: HttpRequest) -> HttpResponse:
    """Keep what would be done as runs, a shop each, and show it."""
    here = desk(request)
    people = people_of(here)
    form = ManyForm(request.POST, auto_id="id_many_%s", people=people)
    rows = cases_picked.picked(here.all_shops, request.POST.getlist("case"), MOST)
    if not form.is_valid():
        context = {"form": form, "rows": rows, "act": form.data.get("act", "")}
        return render(request, "web/runs/choose.html", context, status=422)
    said = form.cleaned_data
    try:
        if not rows:
            raise Refused("nothing_chosen")
        for shop_id in sorted({row.shop_id for row in rows}):
            runs.look_through(
                shop_id=shop_id,
                key=said["key"],
                act=ManyAct(said["act"]),
                params=form.params(here.operator_id),
                words=said["reason"],
                case_ids=[row.case_id for row in rows if row.shop_id == shop_id],
                by=actor(here, shop_id),
            )
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("cases"))
    return back_to(reverse("runs_run", args=[said["key"]]))


@require_GET
def page(request: HttpRequest, key: str) -> HttpResponse:
    here = desk(request)
    found = run_queries.by_key(here.all_shops, key)
    if not found:
        raise Http404
    people = {one.operator_id: one.display_name or one.login for one in shops.members(here.all_shops)}
    said = {"runs": [(run, _rows(run, people, here)) for run in found], "key": key, **_sums(found)}
    living = bool(getattr(request, "htmx", False))
    return render(request, "web/runs/rows.html" if living else "web/runs/page.html", said)


@require_POST
def do(request: HttpRequest, key: str, act: str) -> HttpResponse:
    """Start, stop, try again or take back all runs that were asked for together."""
    here = desk(request)
    work = _WORK.get(act)
    if work is None:
        raise Http404
    count = 0
    try:
        for run in run_queries.by_key(here.all_shops, key, with_rows=False):
            count += work(shop_id=run.shop_id, run_id=run.run_id, by=actor(here, run.shop_id))
            if act in ("start", "again"):
                work_off(run.shop_id, run.run_id, AT_ONCE_S)
    except Refused as refused:
        tell_refusal(request, refused)
    except ObjectDoesNotExist:
        raise Http404 from None
    else:
        _tell(request, act, count, key)
    return back_to(reverse("runs_run", args=[key]))


_WORK: dict[str, Callable[..., int]] = {
    "start": runs.start,
    "stop": runs.stop,
    "again": runs.again,
    "undo": runs.undo,
}


def _tell(request: HttpRequest, act: str, count: int, key: str) -> None:
    if act == "undo":
        tell(request, ngettext("撤销了 %(n)d 个", "撤销了 %(n)d 个", count) % {"n": count})
    elif act == "stop":
        tell(request, ngettext("停下了，%(n)d 个没有做", "停下了，%(n)d 个没有做", count) % {"n": count})
    elif not count:
        tell(request, _now("已经开始过了，没有重复做"))
    else:
        there = run_queries.by_key(desk(request).all_shops, key, with_rows=False)
        undo = reverse("runs_do", args=[key, "undo"]) if any(run.can_undo for run in there) else ""
        tell(request, ngettext("开始做 %(n)d 个", "开始做 %(n)d 个", count) % {"n": count}, undo=undo)


def _sums(found: tuple[Run, ...]) -> dict[str, Any]:
    """All shops' runs as one: what the head of the page and its buttons say."""
    return {
        "act": found[0].act,
        "words": found[0].words,
        "params": found[0].params,
        "is_checked": any(run.is_checked for run in found),
        "is_moving": any(run.is_moving for run in found),
        "is_stopped": any(run.state == "stopped" for run in found),
        "can_undo": any(run.can_undo for run in found),
        "total": sum(run.total for run in found),
        "ready": sum(run.count("ready", "stopped") for run in found),
        "closed": sum(run.count("closed") for run in found),
        "waiting": sum(run.count("waiting") for run in found),
        "done": sum(run.count("done") for run in found),
        "failed": sum(run.count("failed") for run in found),
        "undone": sum(run.count("undone") for run in found),
        "taking_part": sum(run.total - run.count("closed") for run in found),
        "settled": sum(run.count("done", "failed", "undone") for run in found),
    }


def _rows(run: Run, people: Mapping[int, str], here: Desk) -> list[dict[str, Any]]:
    """Each case with what it is and what it becomes, in words."""
    shop = here.names.get(run.shop_id, "") if len(here.seats) > 1 else ""
    return [{"row": row, "shop": shop, "effect": _effect(run, row.before, people)} for row in run.rows]


def _effect(run: Run, before: Mapping[str, Any], people: Mapping[int, str]) -> tuple[str, str]:
    """(before, after) of one case."""
    nobody = _now("没有人")
    match ManyAct(run.act):
        case ManyAct.ASSIGN:
            old, new = before.get("owner"), run.params.get("owner")
            return (people.get(int(old), "–") if old else nobody), (people.get(int(new), "–") if new else nobody)
        case ManyAct.SNOOZE:
            n = int(before.get("findings", 0))
            was = ngettext("%(n)d 个异常在看", "%(n)d 个异常在看", n) % {"n": n}
            hours = run.params.get("hours")
            return was, (_now("%(n)d 小时后再看") % {"n": hours}) if hours else _now("有新轨迹再看")
        case ManyAct.CONFIRM:
            return _now("系统判断"), word("claim", str(before.get("claim", "")))
        case ManyAct.MEASURE:
            old = str(before.get("measure", ""))
            return (word("measure", old) if old else _now("没有选措施")), word("measure", run.params["measure"])
        case ManyAct.DISMISS:
            return _now("在办"), _now("结案：不是异常")
        case _:
            return "", run.words
