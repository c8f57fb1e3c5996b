"""The backend as Django finds it: everything is the original's but how SELECTs of the ORM are run."""

from __future__ import annotations

from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations as Original


class DatabaseOperations(Original):
    compiler_module = "bufa.lib.postgres.compiler"


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
