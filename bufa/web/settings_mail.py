"""Settings: whether what a member is told goes to them by mail, too. Each member's own, whatever their role."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from bufa.apps.cases import told_mail
from bufa.apps.shops import queries as shops
from bufa.domain.outcome import Refused
from bufa.domain.told_mail import EVERY_MINUTES, HOURS
from bufa.lib import clock
from bufa.web.desk import Desk, back_to, by, desk, tell, tell_refusal
from bufa.web.forms import Choices

USUAL = {"every": "60", "quiet_from": "22", "quiet_to": "8"}


class MailForm(Choices):
    """One member's choice. Equal hours: at all hours."""

    address = forms.EmailField(
        label=_("发到"), max_length=200, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    every = forms.ChoiceField(label=_("最多多久一封"))
    quiet_from = forms.ChoiceField(label=_("从几点起不发"))
    quiet_to = forms.ChoiceField(label=_("到几点"), help_text=_("两个一样，就是全天都发"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("every", [(str(minutes), _pause(minutes)) for minutes in EVERY_MINUTES])
        hours = [(str(hour), f"{hour:02d}:00") for hour in HOURS]
        self.choose("quiet_from", hours)
        self.choose("quiet_to", hours)

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        if not address.isascii():
            raise forms.ValidationError(_("邮箱地址只能用英文字母、数字和符号"))
        return address


def _pause(minutes: int) -> str:
    if minutes % 60:
        return ngettext("%(n)d 分钟", "%(n)d 分钟", minutes) % {"n": minutes}
    return ngettext("%(n)d 小时", "%(n)d 小时", minutes // 60) % {"n": minutes // 60}


def shown(here: Desk, form: MailForm | None = None) -> dict[str, Any]:
    """What the card needs: `mail` the form, `chosen` how it stands, `has_mail` whether the shop can send any."""
    shop_id = here.one.shop_id
    chosen = told_mail.chosen(shop_id, here.operator_id)
    connection = shops.connection(shop_id, told_mail.CONNECTION)
    return {
        "mail": form or MailForm(initial=_initial(chosen)),
        "chosen": chosen,
        "has_mail": connection is not None and connection.state != "off",
    }


def _initial(chosen: told_mail.Chosen | None) -> dict[str, str]:
    if chosen is None:
        return USUAL
    wish = chosen.wish
    return {
        "address": wish.address,
        "every": str(wish.every_minutes),
        "quiet_from": str(wish.quiet_from),
        "quiet_to": str(wish.quiet_to),
    }


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Have it sent, or no more; a role is not asked for: it is about nobody else."""
    from bufa.web.settings_telling import show  # its page is the one around this card

    here = desk(request)
    shop_id, me = here.one.shop_id, here.operator_id
    here_again = reverse("settings_telling") + "#mail"
    if "stop" in request.POST:
        told_mail.stop(shop_id=shop_id, operator_id=me, by=by(request))
        tell(request, _now("不再发邮件给你"))
        return back_to(here_again)
    form = MailForm(request.POST)
    if not form.is_valid():
        return show(request, mail=form)
    said = form.cleaned_data
    wish = told_mail.Wish(
        said["address"],
        int(said["every"]),
        int(said["quiet_from"]),
        int(said["quiet_to"]),
        request.build_absolute_uri("/").rstrip("/"),
    )
    before = told_mail.chosen(shop_id, me)
    try:
        told_mail.choose(shop_id=shop_id, operator_id=me, wish=wish, by=by(request), now=clock.now())
    except Refused as refused:
        tell_refusal(request, refused)
        return show(request, mail=form)
    is_new = before is None or not before.is_on or before.wish.address != wish.address
    tell(request, _now("开好了；刚发出一封确认邮件，请去看看收到没有") if is_new else _now("已保存"))
    return back_to(here_again)
