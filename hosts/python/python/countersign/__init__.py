"""One JWT verifier and policy gate: the same WebAssembly file in every host.

    gate = Gate(Path("policy.yaml"))
    decision = await gate.check(Request("GET", "/orgs/acme/seats", headers))

Adapters are in `countersign.fastapi`, `.starlette`, `.asgi`, `.django`, `.flask`,
`.wsgi`, `.mcp` and `.fastmcp`; metrics in `countersign.opentelemetry`.
"""

from ._decision import (
    Allow,
    Answer,
    Change,
    Decision,
    Deny,
    Grant,
    Principal,
    RemoveHeader,
    SetHeader,
    SetTarget,
)
from ._decision_log import DecisionLog
from ._events import DecisionEvent, DocumentEvent, MatchedRule
from ._gate import Gate
from ._local import GateClosed
from ._native import INTERFACE, POLICY_SCHEMA, SHA256
from ._options import Options
from ._policy import Policy, PolicyError, Problem, lint, policy_digest
from ._report import (
    DocumentStatus,
    Inspection,
    ShadowCount,
    ShadowStatus,
    SourceStatus,
    Status,
    Step,
    Verifier,
    inspect,
)
from ._request import Request
from ._source import PolicySource

__all__ = [
    "INTERFACE",
    "POLICY_SCHEMA",
    "SHA256",
    "Allow",
    "Answer",
    "Change",
    "Decision",
    "DecisionEvent",
    "DecisionLog",
    "Deny",
    "DocumentEvent",
    "DocumentStatus",
    "Gate",
    "GateClosed",
    "Grant",
    "Inspection",
    "MatchedRule",
    "Options",
    "Policy",
    "PolicyError",
    "PolicySource",
    "Principal",
    "Problem",
    "RemoveHeader",
    "Request",
    "SetHeader",
    "SetTarget",
    "ShadowCount",
    "ShadowStatus",
    "SourceStatus",
    "Status",
    "Step",
    "Verifier",
    "inspect",
    "lint",
    "policy_digest",
]
