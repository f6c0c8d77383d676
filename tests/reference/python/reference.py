"""The contract, as one module: what CONTRACT.md decides, with `cryptography` alone.

It is written from CONTRACT.md and the tables of docs/policy.md, and shares no code with
the verifier. It is read as their second half: each function names the sentences that it
carries out. It is not for use in a service: it does not fetch or renew documents, refuses
no policy, and is slow.

    gate = Gate(policy)
    gate.check({"method": …, "authority": …, "target": …, "headers": […]}, now_ms)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from urllib.parse import quote_from_bytes

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

# Decisions ---------------------------------------------------------------------------

CODES = {
    "token_missing": (401, "a token is required"),
    "token_multiple": (400, "the request carries more than one token"),
    "request_ambiguous": (400, "the request target can be read in more than one way"),
    "token_too_large": (401, "the token is too large"),
    "token_malformed": (401, "the token is not a compact JWS"),
    "header_invalid": (401, "the token header is invalid"),
    "crit_unsupported": (401, "the token requires an unsupported extension"),
    "algorithm_not_allowed": (401, "the token algorithm is not allowed"),
    "issuer_unknown": (401, "the token issuer is unknown"),
    "key_unknown": (401, "the token key is unknown"),
    "key_unsuitable": (401, "the token key does not fit its algorithm"),
    "signature_invalid": (401, "the token signature is invalid"),
    "claims_invalid": (401, "the token claims are invalid"),
    "audience_mismatch": (401, "the token is for another audience"),
    "token_expired": (401, "the token has expired"),
    "token_not_yet_valid": (401, "the token is not valid yet"),
    "token_too_old": (401, "the token was issued too long ago"),
    "type_mismatch": (401, "the token is of another type"),
    "claim_missing": (401, "the token lacks a required claim"),
    "claim_mismatch": (401, "a token claim has a value that is not accepted"),
    "token_revoked": (401, "the token has been revoked"),
    "origin_denied": (403, "the request comes from another origin"),
    "issuer_denied": (403, "the token issuer is not admitted here"),
    "audience_denied": (403, "the token audience is not admitted here"),
    "type_denied": (403, "the token type is not admitted here"),
    "subject_denied": (403, "the token subject is not admitted here"),
    "tenant_denied": (403, "the token tenant is not admitted here"),
    "scope_insufficient": (403, "the token scopes do not suffice"),
    "role_denied": (403, "the token roles do not suffice"),
    "claim_denied": (403, "a token claim is not admitted here"),
    "authentication_insufficient": (401, "a recent or stronger sign-in is required"),
    "rule_denied": (403, "no rule admits the request"),
}


class Denied(Exception):
    """A check fails. `passed` counts the checks of a requirement before it."""

    def __init__(self, code, claim=None, passed=0, scopes=(), sign_in=None):
        super().__init__(code)
        self.code, self.claim, self.passed = code, claim, passed
        self.scopes, self.sign_in, self.principal = scopes, sign_in, None


# Strict JSON (header.json, claims.json, claims.surrogates, claims.numbers) -------------


class Number(float):
    """A number with the text of it."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        if number in (float("inf"), float("-inf")):
            raise ValueError("beyond a double")
        number.text = text
        return number


def strict_json(data, depth=16, members=256):
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    try:
        value = decoder_of(members).decode(text)
    except RecursionError:
        raise ValueError("depth") from None
    within(value, depth)
    return value


def decoder_of(members):
    def pairs(found):
        names = [name for name, _ in found]
        if len(set(names)) != len(names) or len(names) > members:
            raise ValueError("names")
        return dict(found)

    def constant(_):
        raise ValueError("constant")

    return json.JSONDecoder(object_pairs_hook=pairs, parse_int=Number, parse_float=Number, parse_constant=constant)


def within(value, depth):
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if (isinstance(value, dict | list) and depth == 0) or surrogate(value):
        raise ValueError("depth or surrogate")
    for name, one in inner:
        if surrogate(name):
            raise ValueError("surrogate")
        within(one, depth - 1)


def surrogate(text):
    return isinstance(text, str) and any("\ud800" <= letter <= "\udfff" for letter in text)


def first_member(text, wanted, depth, members):
    """issuer.routing: a member of an object that is read up to its fault."""
    decoder, space = decoder_of(members), re.compile(r"[ \t\n\r]*")
    skip = lambda at: space.match(text, at).end()
    names = set()
    at = skip(0)
    if text[at : at + 1] != "{":
        return "fault", None
    at = skip(at + 1)
    if text[at : at + 1] == "}":
        return ("absent" if skip(at + 1) == len(text) else "fault"), None
    while True:
        try:
            name, at = decoder.raw_decode(text, at)
            at = skip(at)
            if not isinstance(name, str) or text[at : at + 1] != ":" or name in names or surrogate(name):
                return "fault", None
            names.add(name)
            value, at = decoder.raw_decode(text, skip(at + 1))
            within(value, depth - 1)
        except (ValueError, RecursionError):
            return "fault", None
        if name == wanted:
            return "found", value
        at = skip(at)
        if text[at : at + 1] == "}":
            return ("absent" if skip(at + 1) == len(text) and len(names) <= members else "fault"), None
        if text[at : at + 1] != ",":
            return "fault", None
        at = skip(at + 1)


def unbase64url(text):
    """token.canonical."""
    data = text if isinstance(text, bytes) else text.encode()
    if not re.fullmatch(rb"[A-Za-z0-9_-]*", data) or len(data) % 4 == 1:
        raise ValueError("alphabet")
    decoded = base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != data:
        raise ValueError("bits left over")
    return decoded


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# Keys (Key documents; jwks.*, pem.*) ---------------------------------------------------

HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
CURVES = {
    "P-256": (ec.SECP256R1, 32, "ES256", 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551),
    "P-384": (
        ec.SECP384R1,
        48,
        "ES384",
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    ),
    "P-521": (
        ec.SECP521R1,
        66,
        "ES512",
        0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
    ),
}
RSA_ALGORITHMS = [kind + bits for kind in ("RS", "PS") for bits in HASHES]
ALGORITHMS = {*RSA_ALGORITHMS, "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"}
P25519 = 2**255 - 19
LOW_ORDER = {
    0,
    1,
    P25519 - 1,
    int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
    int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
}


class Key:
    """A usable key: for one algorithm, by its kid."""

    def __init__(self, kid, algorithm, verifies):
        self.kid, self.algorithm, self.verifies = kid, algorithm, verifies


def known(algorithm):
    """algorithm.ed25519."""
    return "EdDSA" if algorithm == "Ed25519" else algorithm


def good_point(data):
    """jwks.ed25519, signature.ed25519: canonical and not of low order."""
    y = int.from_bytes(data, "little") & (2**255 - 1)
    return len(data) == 32 and y < P25519 and y not in LOW_ORDER


def tolerant(text):
    """jwks.tolerated: padding and plain base64 too."""
    if not isinstance(text, str):
        raise ValueError("type")
    plain = text.rstrip("=") if len(text) % 4 == 0 else text
    return unbase64url(plain.replace("+", "-").replace("/", "_"))


def jwk(key, algorithms, use):
    """A key of a JWK Set, or None where it is skipped."""
    if not isinstance(key, dict) or any(one in key for one in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")):
        return None
    if use is not None and key.get("use") != use:
        return None
    if use is None and key.get("use", "sig") != "sig":
        return None
    if "key_ops" in key and "verify" not in key["key_ops"]:
        return None
    if not isinstance(key.get("kid", ""), str):
        return None
    try:
        fitting, public = public_key(key)
    except (ValueError, KeyError, TypeError):
        return None
    return named(key.get("kid"), key.get("alg"), fitting, algorithms, public)


def public_key(key):
    if key["kty"] == "RSA":
        n, e = (int.from_bytes(tolerant(key[one]), "big") for one in "ne")
        return RSA_ALGORITHMS, rsa_key(n, e)
    if key["kty"] == "EC":
        curve, size, algorithm, _ = CURVES[key["crv"]]
        x, y = tolerant(key["x"]), tolerant(key["y"])
        if (len(x), len(y)) != (size, size):
            raise ValueError("size")
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve())
        return [algorithm], numbers.public_key()
    if (key["kty"], key["crv"]) == ("OKP", "Ed25519") and good_point(x := tolerant(key["x"])):
        return ["EdDSA"], ed25519.Ed25519PublicKey.from_public_bytes(x)
    raise ValueError("kty")


def rsa_key(n, e):
    """jwks.rsa-size, jwks.rsa-exponent, jwks.encoding."""
    if not (2048 <= n.bit_length() <= 8192 and n % 2 and e % 2 and 3 <= e < 2**32):
        raise ValueError("RSA")
    return rsa.RSAPublicNumbers(e, n).public_key()


def pem(item, algorithms):
    """pem.key, pem.certificate."""
    data = item["pem"].encode()
    if b"CERTIFICATE" in data:
        public = x509.load_pem_x509_certificate(data).public_key()
    else:
        public = serialization.load_pem_public_key(data)
    if isinstance(public, rsa.RSAPublicKey):
        fitting = RSA_ALGORITHMS
    elif isinstance(public, ec.EllipticCurvePublicKey):
        fitting = [alg for _, size, alg, _ in CURVES.values() if size == (public.key_size + 7) // 8]
    else:
        fitting = ["EdDSA"]
    return named(item.get("kid"), item.get("alg"), fitting, algorithms, public)


def secret(item, algorithms):
    key = unbase64url(item["k"])
    fitting = ["HS256", "HS384", "HS512"]
    return named(item.get("kid"), item.get("alg"), fitting, algorithms, key)


def named(kid, alg, fitting, algorithms, public):
    """jwks.alg, jwks.one-algorithm."""
    if alg is None:
        candidates = [one for one in algorithms if one in fitting]
        alg = candidates[0] if len(candidates) == 1 else None
    alg = known(alg)
    if alg not in fitting:
        return None
    return Key(kid, alg, lambda data, signature: verify(alg, public, data, signature))


def verify(algorithm, key, data, signature):
    """signature.*."""
    kind, bits = algorithm[:2], algorithm[2:]
    try:
        if kind == "HS":
            made = hmac.new(key, data, {"256": "sha256", "384": "sha384", "512": "sha512"}[bits]).digest()
            return hmac.compare_digest(made, signature)
        if algorithm == "EdDSA":
            if len(signature) != 64 or not good_point(signature[:32]):
                return False
            key.verify(signature, data)
            return True
        digest = HASHES[bits]()
        if kind == "ES":
            _, size, _, order = next(one for one in CURVES.values() if one[2] == algorithm)
            r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
            if len(signature) != 2 * size or not (0 < r < order and 0 < s < order):
                return False
            key.verify(encode_dss_signature(r, s), data, ec.ECDSA(digest))
            return True
        if len(signature) != (key.key_size + 7) // 8:
            return False
        pkcs1 = padding.PKCS1v15()
        pss = padding.PSS(padding.MGF1(HASHES[bits]()), digest.digest_size)
        key.verify(signature, data, pkcs1 if kind == "RS" else pss, digest)
    except InvalidSignature:
        return False
    return True


# Reading claims (How a claim is read) --------------------------------------------------

ABSENT, UNREADABLE = object(), object()


def pointed(claims, pointer):
    """condition.pointer: RFC 6901; without a slash, one member."""
    if not pointer.startswith("/"):
        pointer = "/" + pointer.replace("~", "~0").replace("/", "~1") if pointer else ""
    value = claims
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and re.fullmatch(r"0|[1-9][0-9]*", name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return ABSENT
    return value


def read(claims, source, limits=(16, 256)):
    """source.*: the value at a source; texts where it splits, names where it has keys."""
    if isinstance(source, str):
        return pointed(claims, source)
    return shaped(pointed(claims, source["claim"]), source, limits)


def shaped(value, source, limits=(16, 256)):
    if source.get("as") == "json":
        if isinstance(value, str):
            try:
                value = strict_json(value, *limits)
            except ValueError:
                return UNREADABLE
        at = source.get("at")
        return value if at is None or value is ABSENT else read(value, at, limits)
    if source.get("as") == "keys":
        if isinstance(value, dict):
            return [name for name, one in value.items() if one is not False and one is not None]
        return value if value in (ABSENT, None) or is_texts(value) else UNREADABLE
    if "separator" in source and isinstance(value, str):
        return [part for part in (one.strip(" ") for one in value.split(source["separator"])) if part]
    if "separator" in source and not (value in (ABSENT, None) or is_texts(value)):
        return UNREADABLE
    return value


def is_texts(value):
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def there(value):
    return value is not ABSENT and value is not None and value is not UNREADABLE


def pointer_of(source):
    return source if isinstance(source, str) else source["claim"]


# Conditions (condition.*): True, False, or None for unknown ----------------------------

SOURCE_WORDS = ("as", "at", "separator")
WORDS = (
    "equals",
    "one_of",
    "contains",
    "starts_with",
    "ends_with",
    "some",
    "every",
    "present",
    "not",
    "all_of",
    "any_of",
)


def holds(claims, pointer, condition, values=None):
    value = pointed(claims, pointer)
    if isinstance(condition, dict) and any(word in condition for word in SOURCE_WORDS):
        value = shaped(value, condition)
    return true_of(value, condition, values)


def true_of(value, condition, values=None):
    if not isinstance(condition, dict):
        return equal(value, condition, values)
    word = next(one for one in WORDS if one in condition)
    operand = condition[word]
    if word == "present":
        return None if value is UNREADABLE else there(value) == operand
    if word == "not":
        inner = true_of(value, operand, values)
        return None if inner is None else not inner
    if word in ("all_of", "any_of"):
        inner = [true_of(value, one, values) for one in operand]
        return all_true(inner) if word == "all_of" else any_true(inner)
    if not there(value):
        return None
    if word == "equals":
        return equal(value, operand, values)
    if word == "one_of":
        return any_true([equal(value, one, values) for one in operand])
    if word in ("starts_with", "ends_with"):
        if not isinstance(value, str):
            return None
        return value.startswith(operand) if word == "starts_with" else value.endswith(operand)
    if not isinstance(value, list):
        return None
    if word == "contains":
        operand = resolved(operand, values)
        return None if operand is None else any(equal(one, operand) is True for one in value)
    inner = [item_true(one, operand, values) for one in value]
    if word == "some":
        return any_true(inner)
    return all_true(inner) if inner else None


def item_true(item, condition, values):
    if isinstance(condition, dict) and not any(word in condition for word in (*WORDS, *SOURCE_WORDS)):
        if not isinstance(item, dict):
            return None
        return all_true([holds(item, pointer, one, values) for pointer, one in condition.items()])
    return true_of(item, condition, values)


def all_true(inner):
    return False if False in inner else None if None in inner else True


def any_true(inner):
    return True if True in inner else None if None in inner else False


def kind(value):
    return next(
        one
        for one, types in KINDS.items()
        if isinstance(value, types) and (one == "boolean" or not isinstance(value, bool))
    )


KINDS = {"boolean": bool, "number": (int, float), "text": str, "array": list, "object": dict, "null": type(None)}


def equal(value, operand, values=None):
    """condition.equals, condition.numbers."""
    operand = resolved(operand, values)
    if not there(value) or operand is None or kind(value) != kind(operand):
        return None
    if kind(value) == "number":
        return None if abs(value) > 2**53 - 1 else value == operand
    if kind(value) == "array":
        return len(value) == len(operand) and all(equal(a, b) is True or a is b is None for a, b in zip(value, operand))
    if kind(value) == "object":
        return value.keys() == operand.keys() and all(
            equal(value[one], operand[one]) is True or value[one] is operand[one] is None for one in value
        )
    return value == operand


def resolved(operand, values):
    """A value of the request (rule.value-*); None: unknown."""
    if values is not None and isinstance(operand, dict) and operand.keys() in ({"capture"}, {"header"}):
        return values(operand)
    return operand


# Tokens ----------------------------------------------------------------------------------


class Token:
    """A token whose own checks have passed."""


class Issuer:
    """An issuer of the policy."""

    def __init__(self, spec, policy):
        self.spec, self.name = spec, spec["name"]
        self.algorithms = [known(one) for one in spec["algorithms"]]
        self.leeway = spec.get("leeway_s", policy.get("leeway_s", 30)) * 1000
        sources = spec["keys"] if isinstance(spec["keys"], list) else [spec["keys"]]
        self.keys = []
        for source in sources:
            algorithms = [known(one) for one in source.get("algorithms", self.algorithms)]
            found = [jwk(one, algorithms, source.get("use")) for one in source.get("jwks", {}).get("keys", [])]
            found += [pem(one, algorithms) for one in source.get("pem", [])]
            found += [secret(one, algorithms) for one in source.get("secrets", [])]
            self.keys.append((algorithms, [key for key in found if key is not None]))

    def key_for(self, algorithm, kid):
        """key.*: the keys to try, at most four, and whether there were more."""
        all_keys = [key for algorithms, keys in self.keys if algorithm in algorithms for key in keys]
        if kid is not None:
            all_keys = [key for key in all_keys if key.kid == kid]
        if not all_keys:
            raise Denied("key_unknown")
        fitting = [key for key in all_keys if key.algorithm == algorithm]
        if not fitting:
            raise Denied("key_unsuitable" if kid is not None else "key_unknown")
        return fitting


class Gate:
    """One opened policy."""

    def __init__(self, policy):
        self.policy = json.loads(policy, parse_int=Number, parse_float=Number)
        self.issuers = [Issuer(one, self.policy) for one in self.policy["issuers"]]
        limits = self.policy.get("limits", {})
        self.json = (int(limits.get("json_depth", 16)), int(limits.get("json_members", 256)))
        self.token_bytes = int(limits.get("token_bytes", 16384))
        self.header_bytes = int(limits.get("header_bytes", 4096))
        lists = [
            self.policy.get("credentials", BEARER),
            *(rule["credentials"] for rule in self.policy.get("rules", []) if "credentials" in rule),
        ]
        self.places = [place for places in lists for place in places]
        kept = {name for place in self.places if "principal" in place for name in place["issuers"]}
        self.everywhere = [issuer.name for issuer in self.issuers if issuer.name not in kept]

    # The checks of a token, in the order of the contract.

    def token(self, data, now, good_from=None, more_leeway=0):
        """`good_from`: the names of the issuers that are good from its place."""
        if len(data) > self.token_bytes:
            raise Denied("token_too_large")
        parts = data.split(b".")
        if parts and len(parts[0]) * 3 // 4 > self.header_bytes and len(parts) >= 2:
            raise Denied("token_too_large")
        if len(parts) != 3 or not parts[0]:
            raise Denied("token_malformed")
        try:
            header, payload, signature = (unbase64url(part) for part in parts)
        except ValueError:
            raise Denied("token_malformed") from None
        try:
            header = strict_json(header, *self.json)
        except ValueError:
            raise Denied("header_invalid") from None
        if not isinstance(header, dict):
            raise Denied("header_invalid")
        if "crit" in header or header.get("b64", True) is not True:
            raise Denied("crit_unsupported")
        if not isinstance(header.get("alg"), str):
            raise Denied("header_invalid", "alg")
        for name in ("kid", "typ", "cty"):
            if not isinstance(header.get(name, ""), str):
                raise Denied("header_invalid", name)
        algorithm = known(header["alg"])
        if algorithm not in ALGORITHMS:
            raise Denied("algorithm_not_allowed")
        issuer, captures = self.issuer_of(payload)
        if good_from is not None and issuer.name not in good_from:
            raise Denied("issuer_unknown")
        if algorithm not in issuer.algorithms:
            raise Denied("algorithm_not_allowed")
        keys = issuer.key_for(algorithm, header.get("kid"))
        signed = parts[0] + b"." + parts[1]
        if not any(key.verifies(signed, signature) for key in keys[:4]):
            raise Denied("key_unknown" if len(keys) > 4 else "signature_invalid")
        try:
            claims = strict_json(payload, *self.json)
        except ValueError:
            raise Denied("claims_invalid") from None
        if not isinstance(claims, dict):
            raise Denied("claims_invalid")
        return self.claims(issuer, header, claims, payload, captures, now, more_leeway)

    def issuer_of(self, payload):
        """issuer.*."""
        try:
            found, iss = first_member(payload.decode("utf-8"), "iss", *self.json)
        except UnicodeDecodeError as error:
            found, iss = first_member(payload[: error.start].decode(), "iss", *self.json)
            found = "fault" if found == "absent" else found
        if found == "absent":
            for issuer in self.issuers:
                if isinstance(issuer.spec["issuer"], dict) and issuer.spec["issuer"].get("absent"):
                    return issuer, {}
        if found != "found" or not isinstance(iss, str):
            raise Denied("issuer_unknown")
        for issuer in self.issuers:
            if issuer.spec["issuer"] == iss:
                return issuer, {}
        for issuer in self.issuers:
            captures = template_captures(issuer.spec["issuer"], iss)
            if captures is not None:
                return issuer, captures
        raise Denied("issuer_unknown")

    def claims(self, issuer, header, claims, payload, captures, now, more_leeway):
        spec, leeway = issuer.spec, issuer.leeway
        for name in ("sub", "jti"):
            if name == "sub" and spec.get("numbers_as_text") and whole(claims.get("sub")):
                continue
            if not isinstance(claims.get(name, ""), str):
                raise Denied("claims_invalid", name)
        for name in ("exp", "nbf", "iat"):
            value = claims.get(name, 0.0)
            if not isinstance(value, float) or abs(value) > 2**53:
                raise Denied("claims_invalid", name)
        aud = claims.get("aud", [])
        if not (isinstance(aud, str) or is_texts(aud)):
            raise Denied("claims_invalid", "aud")
        aud = [aud] if isinstance(aud, str) else aud
        token = Token()
        token.issuer, token.header, token.all, token.payload, token.aud = issuer, header, claims, payload, aud
        token.iss = claims.get("iss", "")
        self.principal(token)
        for name, captured in captures.items():
            source = spec["issuer"]["claims"][name]
            value = read(claims, source)
            if not there(value):
                raise Denied("claim_missing", pointer_of(source))
            if value != captured:
                raise Denied("claim_mismatch", pointer_of(source))
        wanted = spec["audiences"]
        if isinstance(wanted, dict) and not all(one in aud for one in wanted["all"]):
            raise Denied("audience_mismatch", "aud")
        if isinstance(wanted, list) and not any(one in aud for one in wanted):
            raise Denied("audience_mismatch", "aud")
        exp, nbf, iat = (milliseconds(claims.get(name)) for name in ("exp", "nbf", "iat"))
        if exp is None and spec.get("exp_required", True):
            raise Denied("claim_missing", "exp")
        if exp is not None and now >= exp + leeway + more_leeway:
            raise Denied("token_expired", "exp")
        if nbf is not None and now + leeway < nbf:
            raise Denied("token_not_yet_valid", "nbf")
        if iat is not None and iat > now + leeway:
            raise Denied("token_not_yet_valid", "iat")
        token.exp, token.iat = exp, iat
        if "max_token_age_s" in spec:
            too_old(token, spec["max_token_age_s"], now)
        self.type_of(token)
        for pointer, condition in spec.get("require", {}).items():
            outcome = holds(claims, pointer, condition)
            if outcome is not True:
                is_there = there(shaped(pointed(claims, pointer), condition if isinstance(condition, dict) else {}))
                is_there = is_there or pointed(claims, pointer) not in (ABSENT, None)
                raise Denied("claim_mismatch" if is_there else "claim_missing", pointer)
        return token

    def principal(self, token):
        """principal.*, claims.mapped, claims.default-shape, claims.numbers-as-text."""
        claims, spec = token.all, token.issuer.spec
        mapping, digits = spec.get("claims", {}), spec.get("numbers_as_text", False)

        def text(source):
            value = as_digits(read(claims, source, self.json), digits)
            if value in (ABSENT, None):
                return None
            if not isinstance(value, str):
                raise Denied("claims_invalid", pointer_of(source))
            return value or None

        def words(sources, is_default, split, numbers):
            found = []
            for source in sources:
                value = as_digits(read(claims, source, self.json), numbers)
                if isinstance(value, str):
                    found += [one for one in value.split(" ") if one] if split else [value] if value else []
                elif is_texts(value):
                    found += [one for one in value if one]
                elif value not in (ABSENT, None) and not is_default:
                    raise Denied("claims_invalid", pointer_of(source))
            return list(dict.fromkeys(found))

        found = [text(source) for source in many(mapping.get("subject", "/sub"))]
        token.subject = next((one for one in found if one is not None), None)
        token.tenant, token.tenants = None, []
        if "tenants" in mapping:
            token.tenants = words(many(mapping["tenants"]), False, False, digits)
        elif "tenant" in mapping:
            tenant = mapping["tenant"]
            tenant = tenant["fixed"] if isinstance(tenant, dict) and "fixed" in tenant else text(tenant)
            token.tenants = [] if tenant is None else [tenant]
        token.tenants = [one for one in token.tenants if one]
        if len(token.tenants) == 1:
            token.tenant = token.tenants[0]
        token.roles = words(many(mapping.get("roles", "/roles")), "roles" not in mapping, False, digits)
        if "role_map" in spec:
            mapped = [role for one in token.roles for role in many(spec["role_map"].get(one, []))]
            token.roles = list(dict.fromkeys(mapped))
        scopes = many(mapping.get("scopes", ["/scope", "/scp", "/scopes"]))
        token.scopes = words(scopes, "scopes" not in mapping, True, False)

    def type_of(self, token):
        """type.*."""
        types = token.issuer.spec.get("token_types")
        token.type = None
        if plain_typ(token.header.get("typ") or "") in NO_ACCESS_TOKENS:
            raise Denied("type_mismatch")
        if types is None:
            return
        matching = [one for one in types if is_of_type(token, one)]
        if len(matching) != 1:
            raise Denied("type_mismatch")
        kind_of, token.type = matching[0], matching[0]["name"]
        if "max_lifetime_s" in kind_of:
            for name in ("exp", "iat"):
                if getattr(token, name) is None:
                    raise Denied("claim_missing", name)
            if token.exp - token.iat > kind_of["max_lifetime_s"] * 1000:
                raise Denied("claim_mismatch", "exp")
        within_scopes = kind_of.get("scopes_within")
        if within_scopes is not None and not all(
            any(covers(one, scope) for one in within_scopes) for scope in token.scopes
        ):
            sources = token.issuer.spec.get("claims", {}).get("scopes", "/scope")
            raise Denied("claim_mismatch", pointer_of(many(sources)[0]))
        for pointer in kind_of.get("required_claims", []):
            if not there(pointed(token.all, pointer)):
                raise Denied("claim_missing", pointer)


def template_captures(spec, iss):
    """issuer.template."""
    if not isinstance(spec, dict) or "template" not in spec:
        return None
    pattern, parts = spec["template"].split("/"), iss.split("/")
    captures = {}
    if len(pattern) != len(parts):
        return None
    for wanted, part in zip(pattern, parts):
        if wanted.startswith("{"):
            if not re.fullmatch(r"[A-Za-z0-9._~-]{1,128}", part) or part in (".", ".."):
                return None
            captures[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return captures


# type.never
NO_ACCESS_TOKENS = ("dpop+jwt", "token-introspection+jwt", "logout+jwt", "secevent+jwt")


def is_of_type(token, one):
    if any(holds(token.all, pointer, condition) is not True for pointer, condition in one.get("claim", {}).items()):
        return False
    if "header_typ" in one:
        typ = token.header.get("typ")
        return typ is not None and plain_typ(typ) in [plain_typ(wanted) for wanted in one["header_typ"]]
    return True


def plain_typ(typ):
    return re.sub(r"^application/", "", typ.lower())


def covers(granted, scope):
    return granted == scope or (
        granted.endswith(":*") and scope.startswith(granted[:-1]) and len(scope) > len(granted) - 1
    )


def whole(value):
    return isinstance(value, Number) and re.fullmatch(r"-?[0-9]+", value.text) and abs(value) <= 2**53 - 1


def as_digits(value, digits):
    if not digits or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return [as_digits(one, digits) for one in value]
    return value.text if whole(value) else value


def milliseconds(value):
    return None if value is None else int(value * 1000 // 1)


def many(sources):
    return sources if isinstance(sources, list) else [sources]


def too_old(token, most_s, now, passed=0):
    if token.iat is None:
        raise Denied("claim_missing", "iat", passed)
    if now - token.iat > most_s * 1000 + token.issuer.leeway:
        raise Denied("token_too_old", "iat", passed)


# What a rule requires (rule.*, order.rule-*) -------------------------------------------

NO_VALUES = lambda operand: None


class Tenant:
    """The tenant that a requirement names: rule.tenant-of-request."""

    def __init__(self):
        self.named = None


def require(token, requirement, now, values=NO_VALUES, tenant=None):
    tenant = tenant if tenant is not None else Tenant()
    all_but_sign_in(token, requirement, now, values, tenant)
    sign_in(token, requirement, now)
    return tenant.named


def all_but_sign_in(token, requirement, now, values, tenant):
    if "issuers" in requirement and token.issuer.name not in requirement["issuers"]:
        raise Denied("issuer_denied", None, 1)
    if "audiences" in requirement and not any(one in token.aud for one in requirement["audiences"]):
        raise Denied("audience_denied", "aud", 2)
    if "types" in requirement and token.type not in requirement["types"]:
        raise Denied("type_denied", None, 3)
    if "subject" in requirement:
        subject = requirement["subject"]
        wanted = named_value(subject, values)
        if token.subject is None or (subject != "present" and token.subject != wanted):
            raise Denied("subject_denied", None, 4)
    if "tenant" in requirement:
        needs = requirement["tenant"]
        wanted = named_value(needs, values)
        if not token.tenants or (needs != "present" and wanted not in token.tenants):
            raise Denied("tenant_denied", None, 5)
        if needs != "present":
            tenant.named = wanted
    words(token, requirement, "scopes", 6)
    words(token, requirement, "roles", 7)
    for pointer, condition in requirement.get("claims", {}).items():
        if holds(token.all, pointer, condition, values) is not True:
            raise Denied("claim_denied", pointer, 8)
    if "max_token_age_s" in requirement:
        too_old(token, requirement["max_token_age_s"], now, 9)
    for inner in requirement.get("all_of", []):
        all_but_sign_in(token, inner, now, values, tenant)
    if "any_of" in requirement:
        any_of(token, requirement["any_of"], now, values, tenant)


def any_of(token, alternatives, now, values, tenant):
    """order.rule-any-of, rule.tenant-any-of."""
    best = None
    for inner in alternatives:
        named = Tenant()
        try:
            require(token, inner, now, values, named)
        except Denied as denied:
            if best is None or denied.passed > best.passed:
                best = denied
        else:
            tenant.named = named.named or tenant.named
            return
    raise best


def sign_in(token, requirement, now):
    """rule.auth-age, rule.acr, after everything else of the requirement and inside it."""
    for inner in requirement.get("all_of", []):
        sign_in(token, inner, now)
    leeway = token.issuer.leeway
    if "max_auth_age_s" in requirement:
        at = token.all.get("auth_time")
        at = milliseconds(at) if isinstance(at, Number) else None
        if at is None or at > now + leeway or now - at > requirement["max_auth_age_s"] * 1000 + leeway:
            raise Denied("authentication_insufficient", "auth_time", 11, sign_in=requirement)
    if "acr_values" in requirement and token.all.get("acr") not in requirement["acr_values"]:
        raise Denied("authentication_insufficient", "acr", 11, sign_in=requirement)


def named_value(wanted, values):
    if isinstance(wanted, str):
        return values({"capture": wanted[1:-1]}) if wanted.startswith("{") else None
    return wanted["fixed"] if "fixed" in wanted else values(wanted)


def all_and_any(spec):
    return (spec, None) if isinstance(spec, list) else (spec.get("all"), spec.get("any"))


def words(token, requirement, what, passed):
    if what not in requirement:
        return
    wanted_all, wanted_any = all_and_any(requirement[what])
    has = lambda one: one in getattr(token, what)
    if what == "scopes" and token.issuer.spec.get("scope_wildcards"):
        has = lambda one: any(covers(granted, one) or granted == "*" for granted in token.scopes)
    code = "scope_insufficient" if what == "scopes" else "role_denied"
    if wanted_all is not None and not all(map(has, wanted_all)):
        raise Denied(code, None, passed, wanted_all)
    if wanted_any is not None and not any(map(has, wanted_any)):
        raise Denied(code, None, passed, wanted_any)


# Targets and rules (path.*, rule.*) ------------------------------------------------------

PCHAR = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@")
FOLDED = str.maketrans(
    {"ı": "i", "İ": "i", "ſ": "s", "\u212a": "k", **{chr(one): chr(one + 32) for one in range(65, 91)}}
)


def decoded(segment, keep=frozenset()):
    """Percent-decoding, but not of the bytes to keep."""

    def one(match):
        byte = int(match[1], 16)
        return match[0] if byte in keep else bytes([byte])

    return re.sub(rb"%([0-9A-Fa-f]{2})", one, segment)


def ambiguous():
    raise Denied("request_ambiguous")


def segments_of(target):
    """path.*: the raw segments of a target."""
    if not target.startswith(b"/") or len(target) > 16384:
        ambiguous()
    path = target.partition(b"?")[0]
    if re.search(rb"[\x00-\x20\x7f-\xff#\\;]|%(?![0-9A-Fa-f]{2})|%(5[cC]|3[bB]|[01][0-9A-Fa-f]|7[fF])", path):
        ambiguous()
    segments = path[1:].split(b"/")
    if len(segments) > 256 or b"" in segments[:-1]:
        ambiguous()
    for segment in segments:
        plain = decoded(segment)
        if any(part in (b".", b"..") for part in plain.split(b"/")):
            ambiguous()
        if re.search(rb"%[0-9A-Fa-f]{2}", plain):
            ambiguous()
    try:
        decoded(path).decode("utf-8")
    except UnicodeDecodeError:
        ambiguous()
    return segments


class Match:
    """The first rule and pattern for a request."""

    def __init__(self, rule, index, pattern, captures):
        self.rule, self.index, self.pattern, self.captures = rule, index, pattern, captures

    @property
    def place(self):
        return self.index, self.pattern


def first_match(rules, method, host, segments, fold=False):
    for index, rule in enumerate(rules):
        methods = rule.get("methods")
        if methods is not None and method not in methods and not (method == "HEAD" and "GET" in methods):
            continue
        host_captures = host_match(rule.get("hosts"), host)
        if host_captures is None:
            continue
        for pattern in many(rule["path"]):
            captures = path_match(pattern, segments, fold)
            if captures is not None:
                return Match(rule, index, pattern, {**host_captures, **captures})
    return None


def path_match(pattern, segments, fold):
    wanted = pattern[1:].split("/")
    rest = wanted[-1] == "**"
    wanted = wanted[:-1] if rest else wanted
    if wanted and wanted[-1] == "" and not rest:
        wanted = wanted[:-1]
    if len(segments) < len(wanted) or (len(segments) > len(wanted) and not rest):
        return None
    captures = {}
    for one, segment in zip(wanted, segments):
        if one.startswith("{"):
            if segment == "":
                return None
            captures[one[1:-1]] = segment
        else:
            literal = decoded(one.encode()).decode()
            if literal != segment and not (fold and literal.translate(FOLDED) == segment.translate(FOLDED)):
                return None
    return captures


def host_match(hosts, host):
    """rule.hosts, rule.host-wildcard, rule.host-name."""
    if hosts is None:
        return {}
    if host is None:
        return None
    for wanted in hosts:
        wanted = wanted.lower().removesuffix(".")
        first, dot, others = wanted.partition(".")
        label, _, parent = host.partition(".")
        if wanted == host:
            return {}
        if dot and (first == "*" or first.startswith("{")) and parent == others and label:
            return {first[1:-1]: label} if first != "*" else {}
    return None


def rule_for(policy, method, host, target):
    """The rule, or a refusal because a backend could find another one."""
    raw = segments_of(target)
    rules = policy.get("rules", [])
    slash = raw[-1] == b"" and len(raw) > 1
    bare = raw[:-1] if raw[-1] == b"" else raw

    def match(segments, fold=False):
        return first_match(rules, method, host, segments, fold)

    def place(found):
        return None if found is None else found.place

    plain = [decoded(one).decode() for one in bare]
    found = match(plain)
    if any(b"/" in decoded(one) for one in bare):
        if found is None or found.rule.get("encoded_slash") != "keep":
            ambiguous()
        split = [part for one in plain for part in one.split("/")]
        if len(split) > 256:
            ambiguous()
        for reading in (split, [one for one in split if one]):
            if place(match(reading)) not in (None, found.place):
                ambiguous()
            if policy.get("path_case") != "exact" and place(match(reading, True)) not in (None, found.place):
                ambiguous()
    if slash and place(match([*plain, ""])) not in (None, place(found)):
        ambiguous()
    if policy.get("path_case") != "exact":
        other = match(plain, True)
        if place(other) != place(found):
            ambiguous()
        if slash and place(match([*plain, ""], True)) not in (None, place(found)):
            ambiguous()
    as_sent = [decoded(one, PCHAR).decode("utf-8", "surrogateescape") for one in bare]
    if as_sent != plain and place(match(as_sent)) != place(found):
        ambiguous()
    return found


# Requests --------------------------------------------------------------------------------


class Request:
    """A request of bytes."""

    def __init__(self, request):
        self.method = request["method"].decode("latin-1")
        self.target = request["target"]
        self.headers = [(name.decode("latin-1").lower(), value) for name, value in request["headers"]]
        hosts = self.fields("host")
        authority = request.get("authority", b"")
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}", self.method):
            ambiguous()
        if len(hosts) > 1 or (hosts and authority and hosts[0].lower() != authority.lower()):
            ambiguous()
        self.authority = (authority or (hosts[0] if hosts else b"")).decode("latin-1")
        self.host = host_of(self.authority)

    def fields(self, name):
        return [value for one, value in self.headers if one == name]

    def spelled(self, name):
        return [value for one, value in self.headers if one.replace("_", "-") == name]

    @property
    def cookies(self):
        """credential.cookie."""
        pairs = [one.strip() for value in self.fields("cookie") for one in value.decode("latin-1").split(";")]
        return [(name.strip(), value) for name, equals, value in (one.partition("=") for one in pairs) if equals]


def host_of(authority):
    """host.form."""
    if authority == "":
        return None
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^@/,:\x00-\x20\x7f\\?#\[\]]*)(?::([0-9]*))?", authority)
    if match is None or len(authority) > 512:
        ambiguous()
    return match[1].lower().removesuffix(".")


# Credentials (credential.*) --------------------------------------------------------------

BEARER = [{"header": "authorization", "scheme": "Bearer"}]


class Found:
    """A token in a request, and the places where it is."""

    def __init__(self, data, place):
        self.data, self.places = data, [place]


def read_place(request, place, places):
    """The tokens in one place; an error where they cannot be told."""
    if "cookie" in place:
        values = [value for name, value in request.cookies if name == place["cookie"]]
        values = [one[1:-1] if len(one) >= 2 and one[0] == one[-1] == '"' else one for one in values]
        return [one.encode("latin-1") for one in values if one]
    if "query" in place:
        return read_query(request, place["query"])
    if "websocket_protocol" in place:
        return [one for _, one in read_protocols(request, place["websocket_protocol"]) if one]
    header = place["header"].lower()
    values = request.fields(header)
    if "scheme" not in place:
        return [one.strip(b" \t") for one in values if one.strip(b" \t")]
    schemes = [one["scheme"].lower() for one in places if one.get("header", "").lower() == header and "scheme" in one]
    elements = [one.strip(b" \t") for value in values for one in value.split(b",")]
    parted = [
        (scheme.decode("latin-1").lower(), rest.strip(b" \t"))
        for scheme, _, rest in (one.partition(b" ") for one in elements)
    ]
    with_scheme = [one for one in parted if one[0] in schemes and one[1]]
    if with_scheme and any(scheme not in schemes for scheme, _ in parted):
        raise Denied("token_multiple")
    tokens = [rest for scheme, rest in with_scheme if scheme == place["scheme"].lower()]
    tokens = [password(one) for one in tokens] if place["scheme"] == "Basic" else tokens
    return [one for one in tokens if one]


def password(value):
    """credential.basic."""
    try:
        plain = base64.b64decode(value, validate=True)
        if base64.b64encode(plain) != value:
            raise ValueError
    except ValueError:
        raise Denied("token_malformed") from None
    _, colon, found = plain.partition(b":")
    if not colon:
        raise Denied("token_malformed")
    return found


def query_parts(request):
    _, _, query = request.target.partition(b"?")
    return [(one, *one.partition(b"=")[::2]) for one in query.split(b"&")] if query else []


def read_query(request, name):
    found = []
    for _, raw_name, raw_value in query_parts(request):
        if decoded(raw_name.replace(b"+", b" ")) != name.encode():
            continue
        if re.search(rb"%(?![0-9A-Fa-f]{2})", raw_value):
            raise Denied("token_malformed")
        found.append(decoded(raw_value))
    return [one for one in found if one]


def read_protocols(request, spec):
    """Pairs of an element and its token."""
    elements = [one.strip(b" \t") for value in request.fields("sec-websocket-protocol") for one in value.split(b",")]
    elements = [one for one in elements if one]
    if "after" in spec:
        marks = zip(elements, elements[1:])
        return [(token, token) for mark, token in marks if mark == spec["after"].encode()]
    prefix = spec["prefix"].encode()
    rests = [(one, one[len(prefix) :]) for one in elements if one.startswith(prefix)]
    if spec.get("base64url"):
        try:
            return [(one, unbase64url(rest)) for one, rest in rests]
        except ValueError:
            raise Denied("token_malformed") from None
    return rests


def gather(request, places, several):
    """credential.*: the tokens of one principal, each with its places."""
    found = []
    for place in places:
        mine = list(dict.fromkeys(read_place(request, place, places)))
        if several == "first" and "cookie" in place:
            most = 4 if not found else len(mine)
        else:
            most = 1
        if len(mine) > most:
            raise Denied("token_multiple")
        for data in mine:
            same = next((one for one in found if one.data == data), None)
            if same is None:
                found.append(Found(data, place))
            else:
                same.places.append(place)
    if several == "first":
        return [one for one in found if one.places[0] is found[0].places[0]]
    if len(found) > 1:
        raise Denied("token_multiple")
    return found


def good_from(gate, places):
    """credential.issuers, credential.kept-issuers: the names of issuers."""
    return [name for place in places for name in place.get("issuers", gate.everywhere)]


def check_origin(request, places):
    """origin.*."""
    if not places or any(not place.get("same_origin") for place in places):
        return
    names = [name for name, _ in request.headers]
    handshake = "upgrade" in names or ":protocol" in names or b"websocket" in request.fields("sec-fetch-mode")
    if request.method in ("GET", "HEAD", "OPTIONS", "TRACE") and not handshake:
        return
    origins = [one.decode("latin-1") for one in request.fields("origin")]
    for place in places:
        trusted = place.get("trusted_origins", [])
        if origins and all(one in trusted for one in origins):
            return
    sites = request.fields("sec-fetch-site")
    if sites:
        if all(one in (b"same-origin", b"none") for one in sites):
            return
        raise Denied("origin_denied")
    if origins and all(same_origin(one, request.authority) for one in origins):
        return
    raise Denied("origin_denied")


def same_origin(origin, authority):
    match = re.fullmatch(r"(https?)://([^/?#@]*)", origin.lower())
    if match is None or not authority:
        return False
    port = {"https": ":443", "http": ":80"}[match[1]]
    return match[2].removesuffix(port) == authority.lower().removesuffix(port)


# What goes on (Forwarding, strip.*, the changes) -----------------------------------------


def visible(data):
    """forward.encoding."""
    data = data if isinstance(data, bytes) else data.encode("utf-8")
    return "".join(chr(one) if 0x21 <= one <= 0x7E and one != 0x25 else f"%{one:02X}" for one in data)


def forwarded(policy, token):
    """forward.*: the user's headers."""
    if token is None:
        return []
    mine = [(name, what) for name, what in policy.get("forward", {}).items() if not of_principal(what)]
    if len(token.tenants) > 1:
        # That of the request comes last: no sentence says an order.
        mine.sort(key=lambda one: one[1] == "tenant")
    values = [[name.lower(), forwarded_value(what, token)] for name, what in mine]
    return [one for one in values if one[1]]


def of_others(policy, others):
    """forward.principal."""
    theirs = [(name, what) for name, what in policy.get("forward", {}).items() if of_principal(what) in others]
    values = [(name.lower(), forwarded_value(what, others[of_principal(what)])) for name, what in theirs]
    return [{"set_header": [name, value]} for name, value in values if value]


def of_principal(what):
    return what.get("principal") if isinstance(what, dict) else None


def forwarded_value(what, token):
    if isinstance(what, dict) and "claim" not in what:
        what = what["value"]
    if what == "claims":
        return base64url(token.payload)
    if isinstance(what, str):
        value = {
            "issuer": token.iss,
            "subject": token.subject,
            "type": token.type,
            "tenant": token.tenant,
            "tenants": token.tenants,
            "roles": token.roles,
            "scopes": token.scopes,
            "expiry": None if token.exp is None else str(token.exp // 1000),
        }[what]
        return " ".join(map(visible, value)) if isinstance(value, list) else visible(value) if value else None
    if what.get("json"):
        raw = raw_claim(token.payload.decode(), what["claim"])
        if raw is not None and what.get("as") == "json" and raw.startswith(b'"'):
            raw = raw_claim(json.loads(raw), pointer_of(what.get("at", "")) if "at" in what else "")
        return None if raw is None else base64url(raw)
    value = read(token.all, {key: one for key, one in what.items() if key not in ("join", "json", "principal")})
    if is_texts(value):
        join = what.get("join", " ")
        parts = [visible(one) if join == " " else visible(one).replace(join, f"%{ord(join):02X}") for one in value]
        return join.join(one for one in parts)
    if isinstance(value, Number):
        return visible(value.text)
    return (
        {True: "true", False: "false"}.get(value)
        if isinstance(value, bool)
        else visible(value)
        if isinstance(value, str)
        else None
    )


def raw_claim(text, pointer):
    """forward.json: the JSON of a claim as it was signed."""
    decoder = json.JSONDecoder()
    space = re.compile(r"[ \t\n\r]*")
    at = space.match(text, 0).end()
    names = (
        [one.replace("~1", "/").replace("~0", "~") for one in pointer.split("/")[1:]]
        if pointer.startswith("/")
        else [pointer]
        if pointer
        else []
    )
    for name in names:
        is_object, opening = text[at] == "{", text[at]
        if opening not in "{[":
            return None
        at, index, found = space.match(text, at + 1).end(), 0, False
        while text[at] not in "}]":
            key = str(index)
            if is_object:
                key, at = decoder.raw_decode(text, at)
                at = space.match(text, space.match(text, at).end() + 1).end()
            if key == name:
                found = True
                break
            _, at = decoder.raw_decode(text, at)
            at = space.match(text, at).end()
            if text[at] == ",":
                at = space.match(text, at + 1).end()
            index += 1
        if not found:
            return None
    _, end = decoder.raw_decode(text, at)
    raw = text[at:end]
    return None if raw == "null" else raw.encode()


def described(token):
    return {
        "issuer": token.issuer.name,
        "iss": token.iss,
        "subject": token.subject,
        "token_type": token.type,
        "tenant": token.tenant,
        "tenants": token.tenants,
        "roles": token.roles,
        "scopes": token.scopes,
        "expires_at_ms": token.exp,
        "claims": token.payload.decode(),
    }


# Challenges (challenge.*, metadata.*) ------------------------------------------------------


def scopes_of(requirement):
    """challenge.scope: the scopes of a requirement and of its all_of."""
    found = []
    if "scopes" in requirement:
        found += [one for part in all_and_any(requirement["scopes"]) if part is not None for one in part]
    for inner in requirement.get("all_of", []):
        found += scopes_of(inner)
    return found


def denial(policy, denied, rule=None):
    status, sentence = CODES[denied.code]
    return {
        "code": denied.code,
        "status": status,
        "message": sentence,
        "challenge": challenge(policy, denied, rule, status, sentence),
        "claim": denied.claim,
        "principal": denied.principal,
        "retry_after_s": None,
    }


def challenge(policy, denied, rule, status, sentence):
    if status not in (400, 401) and denied.code != "scope_insufficient":
        return None
    parts = [f'realm="{policy.get("realm", "countersign")}"']
    if denied.code != "token_missing":
        error = "invalid_request" if status == 400 else "invalid_token"
        error = {
            "scope_insufficient": "insufficient_scope",
            "authentication_insufficient": "insufficient_user_authentication",
        }.get(denied.code, error)
        parts += [f'error="{error}"', f'error_description="{sentence}"']
    more = (rule or {}).get("challenge", policy.get("challenge", {}))
    scopes = list(denied.scopes) if denied.code == "scope_insufficient" else []
    if status != 400 and more.get("scope"):
        scopes = list(dict.fromkeys(scopes_of((rule or {}).get("require", {})) + scopes))
    if status != 400 and scopes:
        parts.append(f'scope="{" ".join(scopes)}"')
    if denied.sign_in is not None:
        if "acr_values" in denied.sign_in:
            parts.append(f'acr_values="{" ".join(denied.sign_in["acr_values"])}"')
        if "max_auth_age_s" in denied.sign_in:
            parts.append(f'max_age="{int(denied.sign_in["max_auth_age_s"])}"')
    metadata = more.get("resource_metadata")
    if status != 400 and metadata is not None:
        parts.append(f'resource_metadata="{metadata if isinstance(metadata, str) else address(metadata)}"')
    made = "Bearer " + ", ".join(parts)
    places = (rule or {}).get("credentials", policy.get("credentials", BEARER))
    if status == 401 and any(place.get("scheme") == "Basic" for place in places):
        made += f', Basic realm="{policy.get("realm", "countersign")}", charset="UTF-8"'
    return made


def address(document):
    """metadata.address."""
    match = re.fullmatch(r"(https://[^/]*)(/.*)?", document["resource"])
    path = "" if match[2] in (None, "/") else match[2]
    return f"{match[1]}/.well-known/oauth-protected-resource{path}"


def metadata_answer(policy, request, segments):
    """metadata.answer, metadata.host."""
    if request.method not in ("GET", "HEAD"):
        return None
    challenges = [policy.get("challenge", {}), *(rule.get("challenge", {}) for rule in policy.get("rules", []))]
    for document in (one.get("resource_metadata") for one in challenges):
        if not isinstance(document, dict):
            continue
        match = re.fullmatch(r"https://([^/]*)(/.*)", address(document))
        wanted = [decoded(one.encode()) for one in match[2][1:].split("/")]
        bare = [decoded(one) for one in (segments[:-1] if segments[-1] == b"" else segments)]
        wanted = wanted[:-1] if wanted[-1] == b"" else wanted
        if host_of(match[1]) == request.host and bare == wanted:
            headers = [["content-type", "application/json"], ["access-control-allow-origin", "*"]]
            return {"answer": {"status": 200, "headers": headers, "body": compact(document)}}
    return None


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=lambda one: one)


# Decisions ---------------------------------------------------------------------------------


def check(gate, request, now):
    """A request's decision, in the order of the contract."""
    policy = gate.policy
    match = None
    try:
        segments = segments_of(request["target"])
        asked = Request(request)
        answer = metadata_answer(policy, asked, segments)
        if answer is not None:
            return answer
        match = rule_for(policy, asked.method, asked.host, asked.target)
        fields(gate, asked)
        if match is None:
            raise Denied("rule_denied")
        compared(asked, match.rule)
        return {"allow": admit(gate, asked, match, now)}
    except Denied as denied:
        return {"deny": denial(policy, denied, match and match.rule)}


ALWAYS_READ = {
    "host",
    "connection",
    "cookie",
    "origin",
    "sec-fetch-site",
    "sec-fetch-mode",
    "upgrade",
    ":protocol",
    "sec-websocket-protocol",
}


def fields(gate, request):
    """request.fields, request.connection."""
    policy = gate.policy
    compared = compared_headers(policy.get("rules", []))
    read_here = ALWAYS_READ | compared | {place["header"].lower() for place in gate.places if "header" in place}
    if sum(name.replace("_", "-") in read_here for name, _ in request.headers) > 1000:
        ambiguous()
    named = {
        one.strip().lower().replace("_", "-")
        for value in request.fields("connection")
        for one in value.decode("latin-1").split(",")
    }
    if named & ({one.lower() for one in policy.get("forward", {})} | compared):
        ambiguous()


def compared(request, rule):
    """rule.value-ambiguous."""
    for name in compared_headers([rule]):
        values = request.spelled(name)
        if not values:
            continue
        value = values[0].strip(b" \t")
        if (
            len(values) > 1
            or not request.fields(name)
            or b"," in value
            or len(value) > 1024
            or re.search(rb"[^\x21-\x7e]", value)
        ):
            ambiguous()


def compared_headers(inside):
    """The headers that requirements compare: those of rules, without their places."""
    found = set()
    if isinstance(inside, dict):
        if inside.keys() == {"header"} and isinstance(inside["header"], str):
            found.add(inside["header"].lower())
        for name, inner in inside.items():
            found |= set() if name == "credentials" else compared_headers(inner)
    elif isinstance(inside, list):
        for inner in inside:
            found |= compared_headers(inner)
    return found


def admit(gate, request, match, now):
    policy, rule = gate.policy, match.rule
    removed = [name.lower() for name in policy.get("forward", {})]
    if rule.get("public"):
        return grant(None, {}, [], removed, [])
    own = "credentials" in rule
    places = rule["credentials"] if own else policy.get("credentials", BEARER)
    several = (rule if own else policy).get("several", "refuse")
    users = [place for place in places if "principal" not in place]
    found = gather(request, users, several)
    theirs = {}
    for name in rule.get("principals", {}):
        theirs[name] = gather_named(request, places, name, several)

    def values(operand):
        """rule.value-capture, rule.value-header."""
        if "capture" in operand:
            return match.captures.get(operand["capture"])
        sent = [one.strip(b" \t").decode("latin-1") for one in request.fields(operand["header"].lower())]
        return sent[0] if sent and sent[0] else None

    token, ignored, counted = None, False, None
    optional = rule.get("optional", False)
    if not found and not optional:
        raise Denied("token_missing")
    for name, tokens in theirs.items():
        if not tokens:
            missing = Denied("token_missing")
            missing.principal = name
            raise missing
    if found:
        token, counted, ignored = users_token(gate, request, rule, found, now, optional)
    if token is not None:
        check_origin(request, counted.places)
        named = require(token, rule.get("require", {}), now, values)
        token.tenant = named or token.tenant
    others = {}
    for name, requirement in rule.get("principals", {}).items():
        others[name] = principal_token(gate, request, name, theirs[name], requirement, now, values)
    changes = Changes(request)
    if policy.get("strip_credential") and token is not None:
        removed += strip(gate, changes)
    elif policy.get("strip_credential"):
        changes.take_out([place for place in places if place.get("principal") in others])
    if ignored:
        changes.take_out(users)
    if several == "first" and token is not None:
        changes.leave_only(users, counted)
    for place in places:
        if place.get("principal") in (None, *rule.get("principals", {})):
            changes.always(place)
    headers = forwarded(policy, token)
    made = changes.all() + of_others(policy, others)
    return grant(token, others, headers, list(dict.fromkeys(removed)), made)


def users_token(gate, request, rule, found, now, optional):
    """The user's token; of several cookies the first whose own checks pass."""
    more = int(rule.get("accept_expired_s", 0)) * 1000
    first = None
    for one in found:
        try:
            return gate.token(one.data, now, good_from(gate, one.places), more), one, False
        except Denied as denied:
            first = first or denied
            if CODES[denied.code][0] == 503:
                raise
    if isinstance(optional, dict) and CODES[first.code][0] == 401:
        return None, None, True
    raise first


def gather_named(request, places, name, several):
    mine = [place for place in places if place.get("principal") == name]
    try:
        return gather(request, mine, several)
    except Denied as denied:
        denied.principal = name
        raise


def principal_token(gate, request, name, found, requirement, now, values):
    try:
        if not found:
            raise Denied("token_missing")
        token = gate.token(found[0].data, now, good_from(gate, found[0].places))
        check_origin(request, found[0].places)
        require(token, requirement, now, values)
        return token
    except Denied as denied:
        denied.principal = name
        raise


def grant(token, others, headers, removed, changes):
    return {
        "principal": token and described(token),
        "others": {name: described(one) for name, one in others.items()},
        "set_headers": headers,
        "remove_headers": removed,
        "changes": changes,
    }


class Changes:
    """What changes on one request: headers, cookies, subprotocols, the query."""

    def __init__(self, request):
        self.request = request
        self.headers, self.parameters, self.protocols = [], set(), []
        self.goes = lambda name, value: False

    def always(self, place):
        """credential.query-taken, credential.websocket-protocol-taken."""
        if "query" in place:
            self.parameters.add(place["query"].encode())
        if "websocket_protocol" in place:
            self.protocols.append(place["websocket_protocol"])

    def cookies(self, goes):
        before = self.goes
        self.goes = lambda name, value: before(name, value) or goes(name, value)

    def header(self, header):
        """Every spelling that is there."""
        for name, _ in self.request.headers:
            if name.replace("_", "-") == header.lower() and name not in self.headers:
                self.headers.append(name)

    def take_out(self, places):
        """rule.ignore-empties."""
        for place in places:
            if "header" in place:
                self.header(place["header"])
            if "cookie" in place:
                self.cookies(lambda name, _, mine=place["cookie"]: name == mine)

    def leave_only(self, places, counted):
        """credential.first-taken: the same token in another place stays."""
        kept_header = {place["header"].lower() for place in counted.places if "header" in place}
        for place in places:
            has_token = "header" in place and read_place(self.request, place, places)
            if has_token and place["header"].lower() not in kept_header:
                self.header(place["header"])
            if "cookie" in place:
                is_other = lambda value: value.strip('"').encode("latin-1") != counted.data
                self.cookies(lambda name, value, mine=place["cookie"]: name == mine and is_other(value))

    def all(self):
        changes = [{"remove_header": name} for name in self.headers]
        if any(self.goes(name, value) for name, value in self.request.cookies):
            parts = [one.strip() for value in self.request.fields("cookie") for one in value.split(b";")]
            parted = [(one, *one.decode("latin-1").partition("=")[::2]) for one in parts if one]
            kept = [one for one, name, value in parted if not self.goes(name.strip(), value)]
            changes.append({"set_header": ["cookie", b"; ".join(kept)]} if kept else {"remove_header": "cookie"})
        taken = {element for spec in self.protocols for element, _ in read_protocols(self.request, spec)}
        if taken:
            elements = [
                one.strip(b" \t")
                for value in self.request.fields("sec-websocket-protocol")
                for one in value.split(b",")
            ]
            kept = [one for one in elements if one and one not in taken]
            name = "sec-websocket-protocol"
            changes.append({"set_header": [name, b", ".join(kept)]} if kept else {"remove_header": name})
        parts = query_parts(self.request)
        kept = [whole for whole, name, _ in parts if decoded(name.replace(b"+", b" ")) not in self.parameters]
        if len(kept) < len(parts):
            path = self.request.target.partition(b"?")[0]
            changes.append({"set_target": path + (b"?" + b"&".join(kept) if kept else b"")})
        return changes


def strip(gate, changes):
    """strip.header, strip.cookie: the places of any list of the policy."""
    for place in gate.places:
        if "cookie" in place:
            changes.cookies(lambda name, _, mine=place["cookie"]: name == mine)
    return [place["header"].lower() for place in gate.places if "header" in place]


def check_token(gate, data, requirement, now):
    """token-only.requirement."""
    try:
        if not data:
            raise Denied("token_missing")
        token = gate.token(data, now)
        if requirement is not None:
            token.tenant = require(token, requirement, now) or token.tenant
        return {
            "allow": grant(
                token, {}, forwarded(gate.policy, token), [one.lower() for one in gate.policy.get("forward", {})], []
            )
        }
    except Denied as denied:
        return {"deny": denial(gate.policy, denied, {"require": requirement or {}})}
