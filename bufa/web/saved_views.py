"""Views of the list of cases: kept under a name, renamed, deleted; deleting is undone from its message."""

from __future__ import annotations

from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bufa.apps.cases import saved
from bufa.domain.outcome import Refused
from bufa.web import cases
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal


class NameForm(forms.Form):
    name = forms.CharField(label=_("名字"), max_length=40)


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep the filters and columns that the list shows."""
    here = desk(request)
    said = QueryDict(request.POST.get("query", ""), mutable=True)
    columns = cases.chosen_columns(said)
    query = cases.view_query(said)
    try:
        view_id = saved.save(
            shop_id=here.one.shop_id,
            name=request.POST.get("name", ""),
            query=query,
            columns=[] if columns == list(cases.USUAL) else columns,
            shared=request.POST.get("shared") == "1",
            by=actor(here, here.one.shop_id),
        )
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(f"{reverse('cases')}?{said.urlencode()}")
    tell(
        request,
        _now("视图已保存，它是上面的一个标签"),
        undo=reverse("views_do", args=[here.one.shop_id, view_id, "delete"]),
    )
    said["view"] = str(view_id)
    return back_to(f"{reverse('cases')}?{said.urlencode()}")


@require_POST
def do(request: HttpRequest, shop_id: int, view_id: int, act: str) -> HttpResponse:
    here = desk(request)
    by = actor(here, shop_id)
    going = reverse("cases")
    try:
        if act == "rename":
            saved.rename(shop_id=shop_id, view_id=view_id, name=request.POST.get("name", ""), by=by)
            tell(request, _now("已改名"))
            going += "?" + request.POST.get("query", "")
        elif act == "delete":
            saved.delete(shop_id=shop_id, view_id=view_id, by=by)
            tell(request, _now("视图已删除"), undo=reverse("views_do", args=[shop_id, view_id, "back"]))
        elif act == "back":
            saved.bring_back(shop_id=shop_id, view_id=view_id, by=by)
            tell(request, _now("视图已恢复"))
            going += "?" + urlencode({"view": view_id})
        else:
            raise Http404
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(going)
