"""One plain row of any table of a shop, for tests that only need it to be there and to be somebody's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from bufa.lib.tenancy import for_shops
from tests.factories import NOW


def some_row(model: type[models.Model], shop_id: int, **fields: Any) -> Any:
    """The key of a row of `model` in that shop: one that is there, else a new one with the fewest values."""
    with for_shops([shop_id]):
        found = model._default_manager.filter(shop_id=shop_id).order_by("pk").values_list("pk", flat=True).first()
        if found is not None:
            return found
        return _made(model, shop_id, fields).pk


def _made(model: type[models.Model], shop_id: int, fields: dict[str, Any]) -> models.Model:
    values: dict[str, Any] = {"shop_id": shop_id}
    for field in model._meta.concrete_fields:
        wanted = not (field.primary_key or field.null or field.has_default()) and field.attname not in values
        if wanted and field.attname not in fields and field.name not in fields:
            values[field.attname] = _known_word(model, field.name) or _value(field, shop_id)
    return model._default_manager.create(**values | fields)


def _known_word(model: type[models.Model], name: str) -> str:
    """The first word that the table's own constraint allows for a column, "" where any may stand."""
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint):
            for child in constraint.condition.children:  # type: ignore[union-attr]
                if isinstance(child, tuple) and child[0] == f"{name}__in":
                    return str(child[1][0])
    return ""


def _value(field: models.Field[Any, Any], shop_id: int) -> Any:
    if isinstance(field, models.ForeignKey):
        return some_row(field.related_model, shop_id)  # type: ignore[arg-type]
    if isinstance(field, models.DateTimeField):
        return NOW
    if isinstance(field, models.DateField):
        return datetime.date(NOW)
    if isinstance(field, models.BinaryField):
        return b"x"
    if isinstance(field, models.CharField | models.TextField):
        return "" if field.blank else "x"
    return 1
