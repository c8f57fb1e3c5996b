"""Who may do what in a shop: one table from role to permissions, asked by pages, actions and the case table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused


class Permission(StrEnum):
    """One thing that an operator may be allowed to do."""

    VIEW = "view"
    WORK_CASE = "work_case"
    CHOOSE_MEASURE = "choose_measure"
    APPROVE_MEASURE = "approve_measure"
    RECORD_CONSENT = "record_consent"
    OVERRIDE_CONSENT = "override_consent"
    FILL_NUMBER = "fill_number"
    SUBMIT_REISSUE = "submit_reissue"
    PACK = "pack"
    OVERRIDE_GATE = "override_gate"
    SETTLE_EFFECT = "settle_effect"
    OPERATE_AFTERSALE = "operate_aftersale"
    SEND_NOTICE = "send_notice"
    REVEAL_BUYER = "reveal_buyer"
    READ_TEMPLATES = "read_templates"
    IMPORT_DATA = "import_data"
    SEE_MONEY = "see_money"
    WORK_CLAIM = "work_claim"
    EDIT_CARRIER_RULES = "edit_carrier_rules"
    EDIT_POLICY = "edit_policy"
    EDIT_SETTINGS = "edit_settings"
    MANAGE_OPERATORS = "manage_operators"
    CONNECT_SHOP = "connect_shop"


_AGENT = frozenset(
    {
        Permission.VIEW,
        Permission.WORK_CASE,
        Permission.CHOOSE_MEASURE,
        Permission.RECORD_CONSENT,
        Permission.FILL_NUMBER,
        Permission.SUBMIT_REISSUE,
        Permission.PACK,
        Permission.OPERATE_AFTERSALE,
        Permission.SEND_NOTICE,
        Permission.REVEAL_BUYER,
        Permission.SEE_MONEY,
        Permission.WORK_CLAIM,
    }
)
_LEAD = _AGENT | {
    Permission.APPROVE_MEASURE,
    Permission.OVERRIDE_CONSENT,
    Permission.OVERRIDE_GATE,
    Permission.SETTLE_EFFECT,
    Permission.READ_TEMPLATES,
    Permission.EDIT_POLICY,
    Permission.IMPORT_DATA,
    Permission.EDIT_CARRIER_RULES,
}

TABLE: Mapping[Role, frozenset[Permission]] = {
    Role.AGENT: _AGENT,
    Role.LEAD: _LEAD,
    Role.WAREHOUSE: frozenset(
        {
            Permission.VIEW,
            Permission.FILL_NUMBER,
            Permission.SUBMIT_REISSUE,
            Permission.PACK,
            Permission.IMPORT_DATA,
        }
    ),
    Role.FINANCE: frozenset({Permission.VIEW, Permission.SEE_MONEY, Permission.APPROVE_MEASURE, Permission.WORK_CLAIM}),
    Role.OWNER: frozenset(Permission),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether the role holds the permission."""
    return permission in TABLE[role]


def check(role: Role, permission: Permission) -> None:
    """Raise `Refused("not_allowed", role, permission)` unless the role holds the permission."""
    if not may(role, permission):
        raise Refused("not_allowed", role=role.value, permission=permission.value)


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """The roles that hold the permission, to tell a refused operator whom to ask."""
    return tuple(role for role in Role if may(role, permission))
