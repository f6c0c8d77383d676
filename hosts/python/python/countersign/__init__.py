"""One JWT verifier and policy gate: the same WebAssembly file in every host.

    gate = Gate(Path("policy.yaml"))
    decision = await gate.check(Request("GET", "/orgs/acme/seats", headers))

Adapters are in `countersign.fastapi`, `.starlette`, `.asgi`, `.django`, `.flask`,
`.wsgi`, `.mcp` and `.fastmcp`.
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
from ._events import DecisionEvent, DocumentEvent, MatchedRule
from ._gate import Gate, GateClosed
from ._native import INTERFACE, POLICY_SCHEMA, SHA256
from ._options import Options
from ._policy import Policy, PolicyError, Problem, lint
from ._report import DocumentStatus, Inspection, Step, Verifier, inspect
from ._request import Request

__all__ = [
    "INTERFACE",
    "POLICY_SCHEMA",
    "SHA256",
    "Allow",
    "Answer",
    "Change",
    "Decision",
    "DecisionEvent",
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
    "Principal",
    "Problem",
    "RemoveHeader",
    "Request",
    "SetHeader",
    "SetTarget",
    "Step",
    "Verifier",
    "inspect",
    "lint",
]
