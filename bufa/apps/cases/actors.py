"""Who does something to a case: a person with a role, or the system."""

from __future__ import annotations

from dataclasses import dataclass

from bufa.domain.kinds import Role


@dataclass(frozen=True, slots=True)
class Actor:
    """`role` None is the system: facts that came in, or a rule of the shop."""

    operator_id: int | None
    name: str
    role: Role | None

    @property
    def ref(self) -> str:
        """How the audit log names it."""
        return f"operator:{self.operator_id}" if self.operator_id is not None else "system"

    @property
    def is_system(self) -> bool:
        return self.role is None


SYSTEM = Actor(None, "system", None)
