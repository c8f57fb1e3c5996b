"""Django's settings, from the environment only. What each variable means stands in docs/settings.md."""

from __future__ import annotations

import json
import os
import pkgutil
import secrets
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from bufa.config.database import database
from bufa.config.logging import logging_config
from bufa.lib.places import data_dir, secret_file

BASE = Path(__file__).resolve().parents[2]


def _secret_key() -> str:
    if given := os.environ.get("BUFA_SECRET_KEY"):
        return given
    if data_dir().is_dir():
        return secret_file("secret.key").hex()
    # Nothing is kept without a data folder (a type check, `--help`): sessions needn't outlive the process.
    return secrets.token_hex(32)


def _words(name: str, default: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


SECRET_KEY = _secret_key()
DEBUG = os.environ.get("BUFA_DEBUG", "") == "1"
ALLOWED_HOSTS = _words("BUFA_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = _words("BUFA_ORIGINS", "")
ROOT_URLCONF = "bufa.config.urls"
WSGI_APPLICATION = "bufa.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "heroicons",
    "csp",
    "procrastinate.contrib.django",
    "bufa.apps.audit",
    "bufa.apps.shops",
    "bufa.apps.inbox",
    "bufa.apps.effects",
    "bufa.apps.orders",
    "bufa.apps.parcels",
    "bufa.apps.cases",
    "bufa.apps.negotiations",
    "bufa.apps.claims",
    "bufa.apps.reissues",
    "bufa.apps.notices",
    "bufa.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "bufa.api.lane.HookLane",  # what providers push needs nothing of what follows
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "bufa.web.middleware.PackedPages",  # whitenoise has packed its files already
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "bufa.web.resume.SignedInMiddleware",  # a page is private unless it says otherwise
    "bufa.web.middleware.DeskMiddleware",  # who sits here, for which shops, in which language
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
]

_TEMPLATE_OPTIONS: dict[str, Any] = {
    "context_processors": [
        "django.template.context_processors.request",
        "django.template.context_processors.i18n",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
        "bufa.web.desk.shell",
    ],
}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": _TEMPLATE_OPTIONS,
    },
]

FORM_RENDERER = "bufa.web.renderer.Renderer"

# --- data ---------------------------------------------------------------------------------------------------------
DATABASES = {"default": database(os.environ)}
# Task modules are named here, not looked for: `bufa.web.tasks` is a page.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
PROCRASTINATE_IMPORT_PATHS = [f"bufa.jobs.{found.name}" for found in pkgutil.iter_modules([str(BASE / "bufa/jobs")])]

# --- people -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "shops.Operator"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# --- words and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE / "locale"]
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# --- files --------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = data_dir() / "static"
MEDIA_ROOT = data_dir() / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "bufa.web.staticfiles.StaticFiles"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# --- the browser --------------------------------------------------------------------------------------------------
_HTTPS = os.environ.get("BUFA_HTTPS", "") == "1"
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_AGE = 12 * 3600
SECURE_SSL_REDIRECT = _HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# In the session, not in a cookie: what a message can undo (a deleted address) has no business in the browser.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "bufa.web.errors.csrf_failed"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(os.environ.get("BUFA_LOG", "info"))

# Group robots are reached at their vendors' own addresses; a simulator on this machine may stand in for them, the
# demo's own above all.
BUFA_ROBOT_SIMULATOR = os.environ.get("BUFA_ROBOT_SIMULATOR") or str(
    json.loads(os.environ.get("BUFA_SIMULATOR") or "{}").get("robots", {}).get("base_url", "")
)
