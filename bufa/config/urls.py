"""Addresses: the desk at the root, the JSON API and the inbound hooks beside it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

urlpatterns = [
    path("language/", login_not_required(set_language), name="set_language"),
    path("", include("bufa.api.urls")),
    path("", include("bufa.web.urls")),
]
