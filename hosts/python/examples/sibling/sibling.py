"""A reports service of another team: it accepts the platform's tokens, by a policy.

It shares no secret, no code and no user table with the platform. The issuer's `sub` is
mapped to a user of this service, who is made when first seen.
"""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

from fastapi import Depends, FastAPI, HTTPException

from countersign import Gate, Grant
from countersign.fastapi import protect

HERE = Path(__file__).parent


class User(NamedTuple):
    """A user of this service."""

    number: int
    name: str


class Users:
    """Who is who: the issuer and its subject, and our own number for them."""

    def __init__(self, file: str) -> None:
        self._rows = sqlite3.connect(file, check_same_thread=False)
        self._rows.execute(
            "create table if not exists users (number integer primary key, issuer text, "
            "subject text, unique (issuer, subject))"
        )

    def of(self, issuer: str, subject: str) -> User:
        """Return the user, new or known. A subject is unique only within its issuer."""
        row = (issuer, subject)
        with self._rows:
            self._rows.execute("insert or ignore into users (issuer, subject) values (?, ?)", row)
        found = self._rows.execute(
            "select number from users where issuer = ? and subject = ?", row
        ).fetchone()
        return User(found[0], subject)


def service(gate: Gate, users: Users) -> FastAPI:
    """Make the app."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await gate.warm()  # the keys are there before the first request
        yield
        gate.close()

    app = FastAPI(title="reports", lifespan=lifespan)
    protect(app, gate)
    reports: dict[str, list[str]] = {}

    def user(grant: Annotated[Grant, Depends(gate.require())]) -> User:
        caller = grant.principal
        if caller is None or caller.subject is None:
            raise HTTPException(403)  # the policy asks for a subject
        return users.of(caller.iss, caller.subject)

    Caller = Annotated[User, Depends(user)]  # noqa: N806 - a type

    @app.get("/healthz")
    async def healthz() -> dict[str, bool]:
        return {"keys": all(document.usable for document in gate.status().documents)}

    @app.get("/me")
    async def me(caller: Caller) -> dict[str, int | str]:
        return {"user": caller.number, "name": caller.name}

    @app.get("/tenants/{tenant}/reports")
    async def listed(tenant: str, _: Caller) -> list[str]:
        return reports.get(tenant, [])

    @app.post("/tenants/{tenant}/reports")
    async def added(tenant: str, text: str, caller: Caller) -> list[str]:
        reports.setdefault(tenant, []).append(f"{caller.number}: {text}")
        return reports[tenant]

    return app


def from_environment() -> FastAPI:
    """For `uvicorn --factory sibling:from_environment`."""
    policy = Path(os.environ.get("POLICY", HERE / "policy.yaml"))
    return service(Gate.from_file(policy, watch=True), Users(os.environ.get("USERS", "users.db")))
