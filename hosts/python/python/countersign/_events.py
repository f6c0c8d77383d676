"""What an operator is told: `docs/events.md`, the same in every host."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, TypeVar


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """A rule of the policy."""

    index: int
    """Its index in `rules`, from 0."""
    path: str
    """The pattern that matched, never the path of the request."""
    name: str | None = None

    @property
    def label(self) -> str:
        """Its name, or `/rules/<index>`: for metrics."""
        return self.name or f"/rules/{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEvent:
    """One decision. It contains no token, no key and no value of a claim."""

    decision: Literal["allow", "deny", "answer"]
    code: str | None = None
    """Of a denial: its code."""
    status: int | None = None
    """Of a denial or an answer: the HTTP status."""
    claim: str | None = None
    """Of a denial: the name of the claim or header member that failed."""
    principal: str | None = None
    """Of a denial: the name of the principal whose token failed, if that is not the user."""
    rule: MatchedRule | None = None
    issuer: str | None = None
    """The policy's name of the issuer to which the user's token was assigned."""
    token_type: str | None = None
    remembered: bool | None = None
    """Whether the user's token was remembered; `None` if none was verified."""
    waited_ms: int
    mode: Literal["enforced", "observed", "shadow"]
    comparison: Literal["agree", "would_allow", "would_deny", "differs", "not_compared"] | None = (
        None
    )
    """Of a candidate: how its decision compares with the one in force."""
    subject_ref: str | None = None
    """Identifies the subject to those who have the `subject_key`."""
    policy_digest: str
    module_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEvent:
    """One document that was fetched."""

    kind: Literal["discovery", "jwks", "revocations", "api_keys"]
    issuer: str
    outcome: Literal["accepted", "refused", "failed"]
    reason: str | None = None
    """`dns`, `connection`, `tls`, `timeout`, `status`, `redirect`, `too_large`, `refused`."""
    detail: str | None = None
    """The HTTP status, or the code of the problem and its place."""
    age_ms: int | None = None
    """Age of the document in force; `None` if there is none."""
    used: int | None = None
    skipped: int | None = None
    mode: Literal["enforced", "shadow"]
    policy_digest: str


Hook: TypeAlias = Callable[[DecisionEvent], object]
DocumentHook: TypeAlias = Callable[[DocumentEvent], object]


def decisions(hooks: Hook | Sequence[Hook] | None) -> tuple[Callable[[str], None], ...]:
    """Return what the native part calls with JSON."""
    return tuple(_told(hook, decision_event) for hook in _all(hooks))


def documents(
    hooks: DocumentHook | Sequence[DocumentHook] | None,
) -> tuple[Callable[[str], None], ...]:
    """Return what the native part calls with JSON."""
    return tuple(_told(hook, document_event) for hook in _all(hooks))


def decision_event(text: str) -> DecisionEvent:
    """Read the event of a decision."""
    members = _known(DecisionEvent, json.loads(text))
    if rule := members.get("rule"):
        members["rule"] = MatchedRule(**_known(MatchedRule, rule))
    return DecisionEvent(**members)


def document_event(text: str) -> DocumentEvent:
    """Read the event of a document."""
    return DocumentEvent(**_known(DocumentEvent, json.loads(text)))


_E = TypeVar("_E")


def _all(
    hooks: Callable[[_E], object] | Sequence[Callable[[_E], object]] | None,
) -> Sequence[Callable[[_E], object]]:
    if hooks is None:
        return ()
    return (hooks,) if callable(hooks) else hooks


def _told(hook: Callable[[_E], object], read: Callable[[str], _E]) -> Callable[[str], None]:
    def call(text: str) -> None:
        hook(read(text))

    return call


def _known(kind: type[Any], members: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a newer host may add."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in members.items() if name in names}
