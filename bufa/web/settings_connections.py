"""Connections to the outside: Doudian, tracking, mail. Secrets go in and are never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bufa.apps.notices import trying as messages
from bufa.apps.shops import actions, queries, trying
from bufa.domain.case_facts import Purpose
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.web.desk import back_to, by, desk, tell, tell_refusal
from bufa.web.words import word

_SECRET = forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=False)
_URL = {"inputmode": "url", "spellcheck": "false"}
_THEIR_OWN = _("不填就用对方的正式地址")


def _base_url() -> forms.URLField:
    return forms.URLField(
        label=_("接口地址"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs=_URL),
        help_text=_THEIR_OWN,
    )


class ConnectionForm(forms.Form):
    """`secret` fields may be left empty where a value is stored already."""

    secret: tuple[str, ...] = ()

    def plain(self, stored: queries.ConnectionInfo | None) -> dict[str, Any]:
        """What is not secret, put over what is stored and not on the form."""
        kept = {name: value for name, value in (stored.settings if stored else {}).items() if name not in self.fields}
        said = {name: self.cleaned_data[name] for name in self.fields if name not in self.secret}
        return kept | {name: value for name, value in said.items() if value not in ("", None)}

    def __init__(self, *args: Any, stored: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.secret:
            if name in stored:
                self.fields[name].required = False
                self.fields[name].help_text = _now("已保存；不改就留空")


class DoudianForm(ConnectionForm):
    secret = ("app_secret",)
    app_kind = forms.ChoiceField(
        label=_("应用类型"), choices=[("self", _("自用型（本店自己的应用）")), ("tool", _("工具型（要店主授权）"))]
    )
    app_key = forms.CharField(label=_("App Key"), max_length=60)
    app_secret = forms.CharField(label=_("App Secret"), max_length=200, widget=_SECRET)
    shop_id = forms.CharField(label=_("抖店店铺 ID"), max_length=40, required=False, help_text=_("自用型要填"))
    service_id = forms.CharField(
        label=_("服务 ID"), max_length=40, required=False, help_text=_("工具型要填，用来生成授权地址")
    )
    sms_account = forms.CharField(label=_("短信账号"), max_length=60, required=False)
    sms_sign = forms.CharField(label=_("短信签名"), max_length=60, required=False)
    base_url = forms.URLField(
        label=_("接口地址"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs=_URL),
        help_text=_("不填就用抖店正式地址"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = (kwargs.get("initial") or {}).get("sms_templates", {})
        for purpose in Purpose:
            self.fields[f"sms_{purpose.value}"] = forms.CharField(
                label=_now("短信模板：%(purpose)s") % {"purpose": word("purpose", purpose.value)},
                max_length=40,
                required=False,
                initial=kept.get(purpose.value, {}).get("id", ""),
            )

    def plain(self, stored: queries.ConnectionInfo | None) -> dict[str, Any]:
        """The templates' numbers lie together under `sms_templates`, with how their params are named."""
        said = super().plain(stored)
        kept = stored.settings.get("sms_templates", {}) if stored else {}
        numbers = {purpose.value: said.pop(f"sms_{purpose.value}", "") for purpose in Purpose}
        templates = {name: {**kept.get(name, {}), "id": number} for name, number in numbers.items() if number}
        return said | {"sms_templates": templates}

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("app_kind") == "self" and not said.get("shop_id"):
            self.add_error("shop_id", _now("自用型应用按店铺 ID 取令牌，请填写"))
        if said.get("app_kind") == "tool" and not said.get("service_id"):
            self.add_error("service_id", _now("工具型应用要服务 ID 才能生成授权地址，请填写"))
        return said


class TrackingForm(ConnectionForm):
    """What every tracking connection says of how it is used; these entries of its settings are ours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[queries.FOLLOW] = forms.ChoiceField(
            label=_now("怎么跟轨迹"),
            choices=[
                (queries.BY_PUSH, _now("对方推送（订阅）")),
                (queries.BY_ASKING, _now("我们去问：没有开通推送，或对方连不到这里")),
            ],
            required=False,
            initial=queries.BY_PUSH,
        )
        self.fields[queries.PER_HOUR] = forms.IntegerField(
            label=_now("每小时最多问几次"),
            min_value=0,
            max_value=queries.MOST_PER_HOUR,
            required=False,
            help_text=_now("按时限和客户排队去问，见“查询计划”；留空或 0 就不主动问"),
        )


class Kuaidi100Form(TrackingForm):
    secret = ("key", "salt")
    customer = forms.CharField(label=_("customer 编号"), max_length=60)
    key = forms.CharField(label=_("授权 key"), max_length=100, widget=_SECRET)
    salt = forms.CharField(
        label=_("推送签名串（salt）"),
        max_length=100,
        widget=_SECRET,
        required=False,
        help_text=_("我们订阅时带上，推送回来用它验签"),
    )
    base_url = forms.URLField(
        label=_("接口地址"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs=_URL),
        help_text=_THEIR_OWN,
    )


class KdniaoForm(TrackingForm):
    secret = ("app_key",)
    business_id = forms.CharField(label=_("用户 ID（EBusinessID）"), max_length=60)
    app_key = forms.CharField(label=_("API key"), max_length=100, widget=_SECRET)
    base_url = forms.URLField(
        label=_("接口地址"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs=_URL),
        help_text=_THEIR_OWN,
    )


class Track17Form(TrackingForm):
    secret = ("key",)
    key = forms.CharField(
        label=_("API 密钥（17token）"),
        max_length=100,
        widget=_SECRET,
        help_text=_("推送也用它验签；推送地址填到 17TRACK 后台的 Webhook"),
    )
    base_url = forms.URLField(
        label=_("接口地址"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs=_URL),
        help_text=_THEIR_OWN,
    )


class SmtpForm(ConnectionForm):
    secret = ("password", "imap_password")
    host = forms.CharField(label=_("SMTP 服务器"), max_length=120)
    port = forms.IntegerField(label=_("端口"), min_value=1, max_value=65535, initial=465)
    security = forms.ChoiceField(
        label=_("加密"),
        choices=[("tls", _("TLS（465）")), ("starttls", _("STARTTLS（587）")), ("none", _("不加密（只限本机）"))],
    )
    sender = forms.EmailField(label=_("发件邮箱"))
    username = forms.CharField(label=_("登录名"), max_length=120, required=False)
    password = forms.CharField(label=_("密码或授权码"), max_length=200, required=False, widget=_SECRET)
    imap_host = forms.CharField(
        label=_("IMAP 服务器"),
        max_length=120,
        required=False,
        help_text=_("填了就每 10 分钟收一次承运商的回信，自动放到对应的案件；不改动信箱里的信"),
    )
    imap_port = forms.IntegerField(label=_("IMAP 端口"), min_value=1, max_value=65535, initial=993, required=False)
    imap_security = forms.ChoiceField(
        label=_("IMAP 加密"),
        required=False,
        choices=[("tls", _("TLS（993）")), ("starttls", _("STARTTLS（143）")), ("none", _("不加密（只限本机）"))],
    )
    imap_username = forms.CharField(
        label=_("IMAP 登录名"), max_length=120, required=False, help_text=_("和发信的一样就留空")
    )
    imap_password = forms.CharField(label=_("IMAP 密码"), max_length=200, required=False, widget=_SECRET)
    authserv = forms.CharField(
        label=_("收信服务器的名字"),
        max_length=120,
        required=False,
        help_text=_("信头 Authentication-Results 里的第一个词；填了才能认出冒充的发件人"),
    )
    reply_tags = forms.BooleanField(
        label=_("回信地址带编号（名字+编号@…）"),
        required=False,
        help_text=_("邮箱服务支持加号地址才勾，回信就不会放错案件"),
    )

    def plain(self, stored: queries.ConnectionInfo | None) -> dict[str, Any]:
        """A box that is not ticked takes the mark away."""
        return {name: value for name, value in super().plain(stored).items() if value is not False}


class AliyunSmsForm(ConnectionForm):
    secret = ("key_secret",)
    key_id = forms.CharField(label=_("AccessKey ID"), max_length=60)
    key_secret = forms.CharField(label=_("AccessKey Secret"), max_length=100, widget=_SECRET)
    sign = forms.CharField(label=_("短信签名"), max_length=20, help_text=_("审过的签名，不带【】"))
    base_url = _base_url()


class AliyunVoiceForm(ConnectionForm):
    secret = ("key_secret",)
    key_id = forms.CharField(label=_("AccessKey ID"), max_length=60)
    key_secret = forms.CharField(label=_("AccessKey Secret"), max_length=100, widget=_SECRET)
    show_number = forms.CharField(label=_("主叫显示的号码"), max_length=20, required=False, help_text=_("公共模式不填"))
    play_times = forms.IntegerField(label=_("念几遍"), min_value=1, max_value=3, initial=2)
    base_url = _base_url()


class TencentSmsForm(ConnectionForm):
    secret = ("secret_key",)
    secret_id = forms.CharField(label=_("SecretId"), max_length=60)
    secret_key = forms.CharField(label=_("SecretKey"), max_length=100, widget=_SECRET)
    app_id = forms.CharField(label=_("短信应用 ID（SmsSdkAppId）"), max_length=20)
    sign = forms.CharField(label=_("短信签名"), max_length=20, help_text=_("审过的签名，不带【】"))
    region = forms.CharField(label=_("地域"), max_length=30, initial="ap-guangzhou")
    base_url = _base_url()


FORMS: dict[str, type[ConnectionForm]] = {
    "doudian": DoudianForm,
    "kuaidi100": Kuaidi100Form,
    "kdniao": KdniaoForm,
    "17track": Track17Form,
    "smtp": SmtpForm,
    "aliyun_sms": AliyunSmsForm,
    "tencent_sms": TencentSmsForm,
    "aliyun_voice": AliyunVoiceForm,
}


def page(request: HttpRequest, failed: tuple[str, ConnectionForm] | None = None) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    there = {each.kind: each for each in queries.connections([shop_id])}
    rows = []
    for kind, form_class in FORMS.items():
        stored = there.get(kind)
        form = failed[1] if failed and failed[0] == kind else _form(kind, form_class, stored)
        rows.append(
            {
                "kind": kind,
                "stored": stored,
                "form": form,
                "sends": kind in queries.MESSAGE_KINDS,
                "open": bool(failed and failed[0] == kind),
                "hook": _hook(request, stored),
            }
        )
    said = {"rows": rows, "authorize": request.session.get("authorize", "")}
    return render(request, "web/settings/connections.html", said, status=422 if failed else 200)


def _form(
    kind: str, form_class: type[ConnectionForm], stored: queries.ConnectionInfo | None, data: Any = None
) -> ConnectionForm:
    return form_class(
        data,
        auto_id=f"id_{kind}_%s",
        initial=dict(stored.settings) if stored else None,
        stored=stored.has_secret if stored else (),
    )


def _hook(request: HttpRequest, stored: queries.ConnectionInfo | None) -> str:
    """The address to paste at the other side, for those who may connect."""
    if stored is None or not stored.hook_path:
        return ""
    path = stored.hook_path
    if stored.kind == "smtp":  # mails come by an address of their own
        path = path.rstrip("/").rpartition("/")[0] + "/mail"
    return request.build_absolute_uri(path) if desk(request).may(Permission.CONNECT_SHOP) else ""


@require_POST
def connect(request: HttpRequest, kind: str) -> HttpResponse:
    """Store credentials, then call the other side once. A "tool" app is sent to its authorise address first."""
    here = desk(request)
    if kind not in FORMS:
        raise Http404
    shop_id = here.one.shop_id
    try:
        here.check(Permission.CONNECT_SHOP, shop_id)
        if "off" in request.POST:
            actions.switch_off(shop_id=shop_id, kind=kind, by=by(request))
            tell(request, _now("%(kind)s 已停用") % {"kind": word("connection_kind", kind)})
            return back_to(reverse("settings_connections"))
        stored = queries.connection(shop_id, kind)
        form = _form(kind, FORMS[kind], stored, request.POST)
        if not form.is_valid():
            return page(request, (kind, form))
        said = form.cleaned_data
        plain = form.plain(stored)
        secrets = {name: said[name] for name in form.secret if said.get(name)}
        actions.connect(shop_id=shop_id, kind=kind, settings=plain, secrets=secrets, by=by(request))
        if plain.get("app_kind") == "tool":
            tell(request, _now("已保存。下一步：打开授权地址，把得到的 code 填回来（10 分钟内有效）"))
            return back_to(reverse("settings_connections") + "#doudian")
        trying.try_connection(shop_id=shop_id, kind=kind, by=by(request))
        tell(request, _now("%(kind)s 已连接") % {"kind": word("connection_kind", kind)})
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("settings_connections") + f"#{kind}")


@require_POST
def test(request: HttpRequest, kind: str) -> HttpResponse:
    """Call the other side once; with a code, exchange it for the shop's tokens."""
    here = desk(request)
    if kind not in FORMS:
        raise Http404
    shop_id = here.one.shop_id
    try:
        here.check(Permission.CONNECT_SHOP, shop_id)
        if "authorize" in request.POST:
            request.session["authorize"] = trying.authorize_url(shop_id, str(shop_id))
            return back_to(reverse("settings_connections") + "#doudian")
        code, to = request.POST.get("code", "").strip(), request.POST.get("to", "").strip()
        trying.try_connection(shop_id=shop_id, kind=kind, by=by(request), code=code, to=to)
        if to and kind in queries.MESSAGE_KINDS:
            messages.send_test(shop_id=shop_id, kind=kind, phone=to, by=by(request))
            tell(request, _now("测试已发到 %(phone)s") % {"phone": f"{to[:3]}****{to[-4:]}"})
            return back_to(reverse("settings_connections") + f"#{kind}")
        request.session.pop("authorize", None)
        tell(request, _now("%(kind)s 连接正常") % {"kind": word("connection_kind", kind)})
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("settings_connections") + f"#{kind}")
