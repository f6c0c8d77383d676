"""The target that is judged: the one by which a framework routes, or none.

Frameworks route by a decoded path, without the prefix at which they are mounted. The
gate needs the path as it was sent, as it refuses what a router could read in two ways.
Rules name the whole path, prefix included. So the path as it was sent is used where
a server passes it on and it decodes to what is routed; where a server passes on only
the decoded one, that is encoded again. Anything else is refused.
"""

from __future__ import annotations

from urllib.parse import quote_from_bytes, unquote_to_bytes

_AS_IT_IS = "/!$&'()*+,;=:@-._~"


class Ambiguous(Exception):  # noqa: N818 - it is an answer, not a fault
    """What is routed is not known, or is not what was sent."""


def target(prefix: bytes, path: bytes, sent: bytes | None, query: bytes) -> bytes:
    """Return the target in origin form.

    `prefix` and `path` are decoded, and the framework routes by `path`. `sent` is the
    path as it was sent, if the server tells, with the prefix or without it.
    """
    if prefix and (not prefix.startswith(b"/") or prefix.endswith(b"/")):
        raise Ambiguous
    if path and prefix and not path.startswith(b"/"):
        raise Ambiguous
    whole = prefix + path or b"/"
    return _as_sent(prefix, whole, sent) + (b"?" + query if query else b"")


def split(target: bytes) -> tuple[bytes, bytes]:
    """Return path and query."""
    path, _, query = target.partition(b"?")
    return path, query


def _as_sent(prefix: bytes, whole: bytes, sent: bytes | None) -> bytes:
    if sent is None:
        return quote_from_bytes(whole, _AS_IT_IS).encode()
    path, _ = split(sent)
    for one in (path, quote_from_bytes(prefix, _AS_IT_IS).encode() + path):
        if unquote_to_bytes(one) == whole:
            return one
    raise Ambiguous
