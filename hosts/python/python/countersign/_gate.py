"""The gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeVar

from . import _process
from ._decision import Decision, Deny, ambiguous, decision, internal_error
from ._decision_log import DecisionLog
from ._events import DocumentHook, Hook, decisions, documents
from ._local import GateClosed, Local
from ._native import Pending
from ._native import Requirement as Prepared
from ._options import Options
from ._policy import Policy, Source, as_json
from ._report import Status, Step, Verifier, status
from ._request import UNREADABLE, Request, Text, parts
from ._source import PolicySource

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .fastapi import Require

Requirement: TypeAlias = Mapping[str, Any] | str
"""As `require` of a rule, or its JSON."""


_T = TypeVar("_T")


class _Settings(TypedDict, total=False):
    wait_s: float
    max_waiting: int
    instances: int | None
    refresh: Any
    signatures: Any
    now: Any
    secrets: Mapping[str, str | bytes]
    subject_key: bytes | None
    ready_s: float


class Gate:
    """Decides requests and tokens by a policy, and fetches the documents that it needs.

    One gate is for all threads, tasks and forked processes. Checks never raise,
    whatever a request holds.
    """

    def __init__(
        self,
        policy: Policy | PolicySource,
        *,
        on_decision: Hook | Sequence[Hook] | None = None,
        on_document: DocumentHook | Sequence[DocumentHook] | None = None,
        log: DecisionLog | None = None,
        shadow: Policy | None = None,
        **options: Unpack[_Settings],
    ) -> None:
        """Open a policy. `PolicyError` has every problem of it; `Options` lists the options.

        `on_decision` and `on_document` get events (`docs/events.md`), in the thread of the
        check or in one of the gate, and in the context (`contextvars`) of the check. One that
        raises changes nothing: `sys.unraisablehook` gets the error.

        `shadow` is a candidate: a policy that is asked about each request too, and whose
        answer changes nothing. Its decisions are events with `mode` "shadow".
        """
        self._path = policy if isinstance(policy, Path) else None
        self._local = Local(
            policy if isinstance(policy, PolicySource) else Source.of(policy),
            Options(
                **options, on_decision=decisions(on_decision), on_document=documents(on_document)
            ),
            None if shadow is None else Source.of(shadow),
            log,
        )

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        watch: bool = False,
        on_decision: Hook | Sequence[Hook] | None = None,
        on_document: DocumentHook | Sequence[DocumentHook] | None = None,
        log: DecisionLog | None = None,
        shadow: Policy | None = None,
        **options: Unpack[_Settings],
    ) -> Self:
        """Open the policy in a file. With `watch`, a changed file replaces it.

        A changed file with a mistake is logged, and the old policy stays in force.
        """
        gate = cls(
            Path(path),
            on_decision=on_decision,
            on_document=on_document,
            log=log,
            shadow=shadow,
            **options,
        )
        if watch:
            gate._local.watch(Path(path))
        return gate

    # Decisions

    async def check(self, request: Request) -> Decision:
        """Decide whether a request may pass. Waits, within bounds, for documents."""
        try:
            outcome = _asked(self._local.core().begin_check, request, False)
        except Exception as error:  # noqa: BLE001 - a decision, whatever it is
            return _undecided(error)
        return await _decided(outcome)

    def check_sync(self, request: Request) -> Decision:
        """Do the same in a thread, which waits meanwhile. Other threads run."""
        try:
            return decision(_asked(self._local.core().check, request))
        except Exception as error:  # noqa: BLE001 - a decision, whatever it is
            return _undecided(error)

    def observe(self, request: Request) -> Decision | None:
        """Decide, for a middleware that enforces nothing: events say `mode` "observed".

        It never waits: `None` where the decision needs documents first. It is made when they
        are there, and its event comes then.
        """
        try:
            outcome = _asked(self._local.core().begin_check, request, True)
            if isinstance(outcome, tuple):
                return decision(outcome)
            outcome.start(_nobody_waits)
        except Exception as error:  # noqa: BLE001 - a decision, whatever it is
            return _undecided(error)
        return None

    async def verify(
        self, token: Text, require: Requirement | None = None, *, proven: bool = False
    ) -> Decision:
        """Decide whether a token is valid and meets a requirement, without HTTP.

        A requirement with a mistake is a `PolicyError`: it is not what a token holds.

        A token that is bound to its sender (DPoP, mTLS) is denied, as it comes without
        its proof. `proven` says that this is a further check of a request that a gate of
        this process has allowed with this very token: its proof was checked then.
        """
        requirement = self._prepared(require)
        try:
            outcome = self._local.core().begin_verify(token, requirement, proven)
        except Exception as error:  # noqa: BLE001 - a decision, whatever it is
            return _undecided(error)
        return await _decided(outcome)

    def verify_sync(
        self, token: Text, require: Requirement | None = None, *, proven: bool = False
    ) -> Decision:
        """Do the same in a thread, which waits meanwhile."""
        requirement = self._prepared(require)
        try:
            return decision(self._local.core().verify(token, requirement, proven))
        except Exception as error:  # noqa: BLE001 - a decision, whatever it is
            return _undecided(error)

    def require(
        self,
        *,
        scopes: list[str] | tuple[str, ...] = (),
        roles: list[str] | tuple[str, ...] = (),
        **more: Any,
    ) -> Require:
        """Return a dependency for FastAPI: the caller's grant, if it meets this too.

        `more` are further members of a rule's `require`.
        """
        from .fastapi import Require

        return Require.of(self, scopes=scopes, roles=roles, more=more)

    # Reports

    async def explain(self, request: Request) -> tuple[Step, ...]:
        """List every check in order. It shows claims: for people who may see them."""
        return await asyncio.to_thread(self.explain_sync, request)

    def explain_sync(self, request: Request) -> tuple[Step, ...]:
        """Do the same in a thread."""
        steps = self._local.core().explain(parts(request))
        return tuple(Step(*step) for step in steps)  # type: ignore[arg-type]

    def status(self) -> Status:
        """Return the state of the gate: policy, documents, candidate."""
        return status(self._local.core().status())

    def ready(self) -> bool:
        """Return whether every document was there once that may not be missing.

        It stays true until another policy is in force: for `/readyz`, and not for `/livez`.
        """
        return self._local.core().ready()

    async def wait_ready(self, within_s: float) -> bool:
        """Wait until the gate is ready, and no longer than this. The result is `ready()`."""
        return await asyncio.to_thread(self.wait_ready_sync, within_s)

    def wait_ready_sync(self, within_s: float) -> bool:
        """Do the same in a thread. The option `ready_s` does it when the gate is opened."""
        return self._local.core().wait_ready(within_s)

    @property
    def policy_digest(self) -> str:
        """SHA-256 of the policy in force, in its canonical form: 64 hexadecimal digits."""
        return self.status().policy_digest

    def reads(self) -> frozenset[str]:
        """Return the lower-case names of the headers that decisions read now."""
        return frozenset(self._local.core().reads())

    @property
    def verifier(self) -> Verifier:
        """What verifies signatures."""
        return Verifier(*self._local.core().cryptography())

    # Documents and policies

    async def warm(self) -> Status:
        """Fetch every document that is due, and wait for it as long as a check would."""
        return await asyncio.to_thread(self.warm_sync)

    def warm_sync(self) -> Status:
        """Do the same in a thread."""
        return status(self._local.core().warm())

    async def reload(self, policy: Policy | None = None) -> None:
        """Put another policy in force; without one, the file is read again.

        The old one stays until the new one is open and its documents are fetched, or
        if it has a mistake (`PolicyError`).
        """
        await asyncio.to_thread(self.reload_sync, policy)

    def reload_sync(self, policy: Policy | None = None) -> None:
        """Do the same in a thread."""
        policy = self._path if policy is None else policy
        if policy is None:
            raise ValueError("the gate was not opened from a file: name a policy")
        self._local.put(Source.of(policy))

    async def reload_shadow(self, candidate: Policy | None) -> None:
        """Put another candidate beside the policy in force, or none. Its counts begin anew."""
        await asyncio.to_thread(self.reload_shadow_sync, candidate)

    def reload_shadow_sync(self, candidate: Policy | None) -> None:
        """Do the same in a thread."""
        self._local.put_shadow(None if candidate is None else Source.of(candidate))

    async def look_for_policy(self) -> bool:
        """Look at once for a signed policy. The result is whether another one is in force.

        The gate looks by itself too. A `PolicyError` says why there is no good one: the old
        one stays in force.
        """
        return await asyncio.to_thread(self.look_for_policy_sync)

    def look_for_policy_sync(self) -> bool:
        """Do the same in a thread."""
        return self._local.core().look_for_policy()

    def close(self) -> None:
        """Free the memory. Every later check is denied."""
        self._local.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        policy = self._local.policy
        of = repr(policy) if isinstance(policy, PolicySource) else policy.name or "of a text"
        return f"<Gate {of}{', closed' if self._local.is_closed else ''}>"

    def _prepared(self, require: Requirement | None) -> Prepared | None:
        if require is None:
            return None
        text = require.encode() if isinstance(require, str) else as_json(require)
        return self._local.prepared(text)


def _asked(ask: Callable[..., _T], request: Request, *more: bool) -> _T:
    try:
        return ask(parts(request), *more)
    except UnicodeError:
        # Text that is no text is the request's own fault.
        return ask(parts(UNREADABLE), *more)


async def _decided(outcome: tuple[Any, ...] | Pending) -> Decision:
    if isinstance(outcome, tuple):
        return decision(outcome)
    loop = asyncio.get_running_loop()
    future: asyncio.Future[tuple[Any, ...]] = loop.create_future()

    def deliver(outcome: tuple[Any, ...]) -> None:
        if not future.done():
            future.set_result(outcome)

    outcome.start(lambda outcome: loop.call_soon_threadsafe(deliver, outcome))
    try:
        return decision(await future)
    finally:
        outcome.cancel()


def _nobody_waits(_: tuple[Any, ...]) -> None:
    """Hooks were told."""


def _undecided(error: Exception) -> Deny:
    # What the error says is not logged: it may be a part of the request or the token.
    if isinstance(error, UnicodeError):
        return ambiguous()
    if not isinstance(error, GateClosed):
        _process.log.error("a request could not be read: %s", type(error).__name__)
    return internal_error()
