"""Row-level security as migration operations.

A table that belongs to a shop is protected in the same migration that creates it. The policies hold no sub-select,
because a distributed PostgreSQL (Citus) refuses those; a missing or empty setting means no rows at all, also for the
owner of the table (FORCE), so that a forgotten `for_shops` is seen at once and never leaks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db.migrations.operations.base import Operation

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.state import ProjectState

APP_ROLE = "bufa_app"
SHOPS_SETTING = "app.shops"
OPERATOR_SETTING = "app.operator"

_NAME = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")


def _checked(name: str) -> str:
    """The name itself when it needs no quoting; anything else is a mistake in a migration."""
    if not _NAME.match(name):
        raise ValueError(f"not a plain SQL name: {name!r}")
    return name


class _SqlOperation(Operation):
    """SQL forwards and backwards without a change of Django's own state."""

    reduces_to_sql = True
    reversible = True
    elidable = False

    def forwards(self) -> list[str]:
        raise NotImplementedError

    def backwards(self) -> list[str]:
        raise NotImplementedError

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Security changes nothing that a model can see."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.forwards():
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.backwards():
            schema_editor.execute(statement, params=None)


class ProtectByShop(_SqlOperation):
    """Let the application see and write only rows of the shops named by `for_shops`.

    `column` holds the shop's id (`id` for the table of shops itself). `operator_column`, where given, also lets an
    operator read (not write) the rows that name them, under `for_operator`: that is how sign-in learns which shops
    an operator belongs to.
    """

    def __init__(self, table: str, column: str = "shop_id", *, operator_column: str | None = None) -> None:
        self.table = _checked(table)
        self.column = _checked(column)
        self.operator_column = _checked(operator_column) if operator_column else None

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs = {"operator_column": self.operator_column} if self.operator_column else {}
        return self.__class__.__name__, [self.table, self.column], kwargs

    def forwards(self) -> list[str]:
        own = f"{self.column} = ANY (NULLIF(current_setting('{SHOPS_SETTING}', true), '')::bigint[])"
        table = self.table
        statements = [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY {table}_by_shop ON {table} USING ({own}) WITH CHECK ({own})",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}",
        ]
        if self.operator_column:
            mine = f"{self.operator_column} = NULLIF(current_setting('{OPERATOR_SETTING}', true), '')::bigint"
            statements.append(f"CREATE POLICY {table}_by_operator ON {table} FOR SELECT USING ({mine})")
        return statements

    def backwards(self) -> list[str]:
        table = self.table
        return [
            f"DROP POLICY IF EXISTS {table}_by_operator ON {table}",
            f"DROP POLICY IF EXISTS {table}_by_shop ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ]

    def describe(self) -> str:
        return f"Protect {self.table} by shop"


class AppendOnly(_SqlOperation):
    """Take UPDATE and DELETE on a table away from the application: what is written there stays."""

    def __init__(self, table: str) -> None:
        self.table = _checked(table)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.table], {}

    def forwards(self) -> list[str]:
        return [f"REVOKE UPDATE, DELETE ON {self.table} FROM {APP_ROLE}"]

    def backwards(self) -> list[str]:
        return [f"GRANT UPDATE, DELETE ON {self.table} TO {APP_ROLE}"]

    def describe(self) -> str:
        return f"Make {self.table} append-only for the application"


class Unprotected(_SqlOperation):
    """Say that a table on purpose belongs to no shop, with the reason; a check reads this, the database does not."""

    def __init__(self, table: str, why: str) -> None:
        self.table = _checked(table)
        self.why = why

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.table, self.why], {}

    def forwards(self) -> list[str]:
        return [f"GRANT SELECT, INSERT, UPDATE, DELETE ON {self.table} TO {APP_ROLE}"]

    def backwards(self) -> list[str]:
        return [f"REVOKE ALL ON {self.table} FROM {APP_ROLE}"]

    def describe(self) -> str:
        return f"{self.table} belongs to no shop: {self.why}"
