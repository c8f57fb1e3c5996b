"""Static files as they are laid out at start: packed, and named by what is in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]

OURS = "bufa/"


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Also gives the new names to what our modules import: an old module beside a new one breaks both. Modules of
    packages are left as they are; some import what the package does not carry."""

    support_js_module_import_aggregation = True

    def url_converter(
        self, name: str, hashed_files: Any, template: str | None = None
    ) -> Callable[[re.Match[str]], str]:
        if name.endswith(".js") and not name.startswith(OURS):
            return lambda found: found.group()
        convert: Callable[[re.Match[str]], str] = super().url_converter(name, hashed_files, template)
        return convert
