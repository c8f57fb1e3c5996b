"""Addresses: the desk at the root, the JSON API and the inbound hooks beside it."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("bufa.api.urls")),
    path("", include("bufa.web.urls")),
]

handler400 = "bufa.web.errors.bad_request"
handler403 = "bufa.web.errors.forbidden"
handler404 = "bufa.web.errors.not_found"
handler500 = "bufa.web.errors.broken"
