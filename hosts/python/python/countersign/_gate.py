"""The gate."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from . import _process
from ._decision import Decision, Deny, ambiguous, decision, internal_error
from ._events import DecisionEvent, DocumentEvent, decisions, documents
from ._native import Core, Pending
from ._native import Requirement as Prepared
from ._options import Options
from ._policy import Policy, Source, as_json
from ._report import DocumentStatus, Step, Verifier
from ._request import Request, Text, parts
from ._watch import Watch

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .fastapi import Require

Requirement: TypeAlias = Mapping[str, Any] | str
"""As `require` of a rule, or its JSON."""

PREPARED = 256
"""How many requirements a gate keeps parsed."""


class GateClosed(RuntimeError):  # noqa: N818 - it is a state
    """The gate was closed, so that it has nothing to say but denials."""


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
        policy: Policy,
        *,
        on_decision: Callable[[DecisionEvent], object] | None = None,
        on_document: Callable[[DocumentEvent], object] | None = None,
        shadow: Policy | None = None,
        **options: Unpack[_Settings],
    ) -> None:
        """Open a policy. `PolicyError` has every problem of it; `Options` lists the options.

        `on_decision` and `on_document` get events (`docs/events.md`), in the thread of the
        check or in one of the gate. One that raises changes nothing: `sys.unraisablehook`
        gets the error.

        `shadow` is a candidate: a policy that is asked about each request too, and whose
        answer changes nothing. Its decisions are events with `mode` "shadow".
        """
        self._options = Options(
            **options,
            on_decision=None if on_decision is None else decisions(on_decision),
            on_document=None if on_document is None else documents(on_document),
        )
        self._shadow = None if shadow is None else Source.of(shadow)
        self._path = policy if isinstance(policy, Path) else None
        self._source = Source.of(policy)
        self._watched = False
        self._watch: Watch | None = None
        self._closed = False
        self._core: Core | None = None
        self._requirements: dict[bytes, Prepared] = {}
        self._lock = threading.Lock()
        self._core = self._open()
        _process.watch_forks(self)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        watch: bool = False,
        on_decision: Callable[[DecisionEvent], object] | None = None,
        on_document: Callable[[DocumentEvent], object] | None = None,
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
            shadow=shadow,
            **options,
        )
        gate._watched = watch
        gate._look()
        return gate

    # Decisions

    async def check(self, request: Request) -> Decision:
        """Decide whether a request may pass. Waits, within bounds, for documents."""
        try:
            outcome = self._opened().begin_check(parts(request))
        except Exception as error:  # noqa: BLE001 - a decision, whatever it is
            return _undecided(error)
        return await _decided(outcome)

    def check_sync(self, request: Request) -> Decision:
        """Do the same in a thread, which waits meanwhile. Other threads run."""
        try:
            return decision(self._opened().check(parts(request)))
        except Exception as error:  # noqa: BLE001 - a decision, whatever it is
            return _undecided(error)

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
            outcome = self._opened().begin_verify(token, requirement, proven)
        except Exception as error:  # noqa: BLE001 - a decision, whatever it is
            return _undecided(error)
        return await _decided(outcome)

    def verify_sync(
        self, token: Text, require: Requirement | None = None, *, proven: bool = False
    ) -> Decision:
        """Do the same in a thread, which waits meanwhile."""
        requirement = self._prepared(require)
        try:
            return decision(self._opened().verify(token, requirement, proven))
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
        steps = self._opened().explain(parts(request))
        return tuple(Step(*step) for step in steps)  # type: ignore[arg-type]

    def status(self) -> tuple[DocumentStatus, ...]:
        """Return the state of every document, for readiness probes and metrics."""
        return tuple(DocumentStatus(*one) for one in self._opened().status())  # type: ignore[arg-type]

    def ready(self) -> bool:
        """Return whether every document was there once that may not be missing.

        It stays true: for `/readyz`, and not for `/livez`.
        """
        return self._opened().ready()

    @property
    def policy_digest(self) -> str:
        """SHA-256 of the policy in force, in its canonical form: 64 hexadecimal digits."""
        return self._opened().policy_digest()

    def reads(self) -> frozenset[str]:
        """Return the lower-case names of the headers that decisions read now."""
        return frozenset(self._opened().reads())

    @property
    def verifier(self) -> Verifier:
        """What verifies signatures."""
        return Verifier(*self._opened().cryptography())

    # Documents and policies

    async def warm(self) -> tuple[DocumentStatus, ...]:
        """Fetch every document that is due, and wait for it as long as a check would."""
        return await asyncio.to_thread(self.warm_sync)

    def warm_sync(self) -> tuple[DocumentStatus, ...]:
        """Do the same in a thread."""
        return tuple(DocumentStatus(*one) for one in self._opened().warm())  # type: ignore[arg-type]

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
        self._put(Source.of(policy))

    def close(self) -> None:
        """Free the memory. Every later check is denied."""
        with self._lock:
            self._closed = True
            self._core = None
            if self._watch is not None:
                self._watch.stop()

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
        return f"<Gate {self._source.name or 'of a text'}{', closed' if self._closed else ''}>"

    # The native part of this process

    def forget(self) -> None:
        """Forget what belongs to the process that was forked: it is made anew when needed."""
        self._lock = threading.Lock()
        self._core = None
        self._requirements = {}
        self._watch = None

    def _opened(self) -> Core:
        core = self._core
        if core is not None:
            return core
        with self._lock:
            if self._closed:
                raise GateClosed("the gate is closed")
            if self._core is None:
                self._core = self._open()
                self._look()
            return self._core

    def _open(self) -> Core:
        shadow = self._shadow
        candidate = None if shadow is None else (shadow.name, shadow.text)
        return Core.open(self._source.name, self._source.text, self._options, candidate)

    def _look(self) -> None:
        if self._watched and self._path is not None:
            self._watch = Watch(self._path, self._source.text, self._changed)

    def _changed(self, text: bytes) -> None:
        self._put(Source(self._source.name, text))

    def _put(self, source: Source) -> None:
        self._opened().reload(source.name, source.text)
        self._source = source

    def _prepared(self, require: Requirement | None) -> Prepared | None:
        if require is None:
            return None
        text = require.encode() if isinstance(require, str) else as_json(require)
        prepared = self._requirements.get(text)
        if prepared is None:
            try:
                prepared = self._opened().prepare(text)
            except GateClosed:
                return None  # the check is denied
            if len(self._requirements) >= PREPARED:
                self._requirements.clear()
            self._requirements[text] = prepared
        return prepared


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


def _undecided(error: Exception) -> Deny:
    # Text that is no text is the request's own fault; all else is a fault here. What
    # the error says is not logged: it may be a part of the request.
    if isinstance(error, UnicodeError):
        return ambiguous()
    if not isinstance(error, GateClosed):
        _process.log.error("a request could not be read: %s", type(error).__name__)
    return internal_error()
