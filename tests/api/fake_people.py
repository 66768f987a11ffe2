"""Users and subjects that are not there: what calls asked for is in `did`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pooltrust.api.classes.access.subject import subject_uuid
from pooltrust.api.sessions import Caller

ALICE = "local:alice"


def tables() -> dict[str, dict[str, Mapping[str, Any]]]:
    """The records of root, of alice, and of her being a subject that may look on."""
    alice = {"subject_identifier": ALICE, "other_config": {"a": "b"}, "roles": ["read-only"]}
    return {"accounts": {"root": {}, "alice": {}}, "subject": {subject_uuid(ALICE): alice}}


@dataclass
class FakePeople:
    tables: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=tables)
    did: list[Any] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        async def noted(*arguments: Any) -> None:
            given = [one for one in arguments if not isinstance(one, Caller)]
            self.did.append((name, *given))

        if name.startswith("_"):
            raise AttributeError(name)
        return noted

    async def create_user(self, name: str, password: str | None, role: str, _: Caller) -> None:
        self.tables["accounts"][name] = {}
        self.did.append(("create_user", name, password, role))

    async def identifier(self, name: str) -> str:
        return f"local:{name}"

    async def information(self, identifier: str) -> Mapping[str, str]:
        return {"subject-name": identifier.partition(":")[2]}

    async def groups(self, identifier: str) -> Sequence[str]:
        return [f"{identifier}s"]
