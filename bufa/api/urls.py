"""Addresses for machines: what providers push to, and whether we are alive."""

from __future__ import annotations

from django.urls import path, re_path

from bufa.api import health, hooks, mail_hook

urlpatterns = [
    re_path(r"^hooks/(?P<token>[^/]{1,120})/mail/?$", mail_hook.receive, name="mail_hook"),
    path("healthz", health.healthz, name="healthz"),
    re_path(
        r"^hooks/(?P<token>[^/]{1,120})/(?P<kind>doudian|kuaidi100|kdniao|17track|aliyun_sms|aliyun_voice|tencent_sms)/?$",
        hooks.receive,
        name="hook",
    ),
]
