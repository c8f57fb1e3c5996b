"""Phone tasks: whom to ring, what to say, what came of it."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from bufa.apps.cases.actors import Actor
from bufa.apps.notices import actions as notices_actions
from bufa.apps.notices import queries as notices
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.web.desk import back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import label, word

OUTCOMES = ("reached", "no_answer", "wrong_number", "call_later")


class OutcomeForm(Choices):
    outcome = forms.ChoiceField(label=gettext_lazy("打的结果"))
    note = forms.CharField(
        label=gettext_lazy("客户说了什么"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.choose("outcome", [(code, label("phone", code)) for code in OUTCOMES])


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    rows = notices.calls(here.shops, limit=100)
    return render(
        request, "web/tasks/list.html", {"rows": [(row, OutcomeForm(auto_id=f"id_{row.notice_id}_%s")) for row in rows]}
    )


@require_POST
def done(request: HttpRequest, shop_id: int, notice_id: int) -> HttpResponse:
    here = desk(request)
    here.role(shop_id)
    form = OutcomeForm(request.POST)
    after = request.POST.get("next", "")
    after = after if after.startswith("/cases/") else reverse("tasks")
    if not form.is_valid():
        tell_refusal(request, Refused("parameter_missing", name="outcome"))
        return back_to(after)
    try:
        here.check(Permission.SEND_NOTICE, shop_id)
        notices_actions.finish_call(
            shop_id=shop_id,
            notice_id=notice_id,
            outcome=form.cleaned_data["outcome"],
            note=form.cleaned_data["note"],
            by=Actor(here.operator_id, here.name, here.role(shop_id)),
        )
        tell(request, _("已记下：%(outcome)s") % {"outcome": word("phone", form.cleaned_data["outcome"])})
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(after)
