from __future__ import annotations

from tests.factories.shared import made_once, sample

__all__ = ["made_once", "sample"]
