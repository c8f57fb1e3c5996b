"""The settings under test: those of the product, less what only slows tests down."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "BUFA_TEST_DATA" not in os.environ:
    # One folder for the whole run; xdist's workers inherit the variable. It goes when this process ends.
    os.environ["BUFA_TEST_DATA"] = tempfile.mkdtemp(prefix="bufa-test-")
    atexit.register(shutil.rmtree, os.environ["BUFA_TEST_DATA"], ignore_errors=True)
    Path(os.environ["BUFA_TEST_DATA"]).chmod(0o711)
for _name in [name for name in os.environ if name.startswith("BUFA_") and not name.startswith("BUFA_TEST_")]:
    if _name not in {"BUFA_SAMPLES", "BUFA_CHROMIUM"}:
        del os.environ[_name]  # what a developer's shell has set must not steer a test
os.environ.pop("DATABASE_URL", None)
os.environ["BUFA_REACH"] = "127.0.0.1"  # where the simulated world stands
os.environ["BUFA_DATA"] = os.environ["BUFA_TEST_DATA"]

from bufa.config.settings import *  # noqa: E402, F403
from bufa.config.settings import DATABASES, STATIC_ROOT, STORAGES  # noqa: E402

DATABASES["default"]["OPTIONS"]["pool"] = False
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise complains where there is none
