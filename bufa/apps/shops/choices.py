"""Check constraints for columns that hold one of a known set of words."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.db.models import Q


def is_one_of(column: str, words: Iterable[str], name: str) -> models.CheckConstraint:
    """Let the database refuse a word that the code does not know."""
    return models.CheckConstraint(name=name, condition=Q(**{f"{column}__in": [str(word) for word in words]}))
