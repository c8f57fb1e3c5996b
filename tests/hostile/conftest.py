from __future__ import annotations

from tests.factories.shared import sample

__all__ = ["sample"]
