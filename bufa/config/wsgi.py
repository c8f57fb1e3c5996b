"""What the web server loads."""

from __future__ import annotations

import os
import signal

from django.core.wsgi import get_wsgi_application

from bufa.host.processes import tie_to_parent

if os.environ.get("BUFA_TIED") == "1":
    # The web server's workers are its children, not ours: without this they would outlive it after a kill -9 and
    # keep the port.
    tie_to_parent(signal.SIGKILL)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bufa.config.settings")

application = get_wsgi_application()
