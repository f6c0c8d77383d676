"""Django's middleware, sync and async."""

from __future__ import annotations

import asyncio
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, JsonResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

from countersign import DecisionEvent, Gate, PolicyError
from countersign.django import gate as gate_of_settings
from countersign.django import ready_view
from support import bearer, policy, token

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["countersign.django.GateMiddleware"],
    COUNTERSIGN_POLICY=policy(),
)
django.setup()


def seen(request: HttpRequest, **_: Any) -> JsonResponse:
    grant: Any = request.grant  # type: ignore[attr-defined]
    return JsonResponse(
        {
            "subject": grant.principal and grant.principal.subject,
            "header": request.headers.get("x-auth-subject"),
            "meta": {key: value for key, value in request.META.items() if "SUBJECT" in key},
            "query": request.GET.dict(),
            "cookies": request.COOKIES,
        }
    )


async def seen_async(request: HttpRequest) -> JsonResponse:
    return seen(request)


urlpatterns = [
    path("me", seen),
    path("echo", seen_async),
    path("maybe", seen),
    path("orgs/<org>/seats", seen),
    path("healthz", seen),
    path("open", lambda request: unchecked(request)),
    path("closed", lambda request: unchecked(request)),
    path("readyz", ready_view),
]


class Sync:
    def get(self, path: str, **more: Any):
        return Client().get(path, **more)


class Async:
    def get(self, path: str, **more: Any):
        return asyncio.run(AsyncClient().get(path, **more))


@pytest.fixture(params=[Sync(), Async()], ids=["sync", "async"])
def client(request):
    return request.param


def test_a_caller_is_known(client):
    for path_ in ("/me", "/echo"):
        body = client.get(path_, headers={**bearer(), "x-auth-subject": "eve"}).json()
        assert (body["subject"], body["header"]) == ("ada", "ada")
        assert body["meta"] == {"HTTP_X_AUTH_SUBJECT": "ada"}
    assert client.get("/maybe").json()["subject"] is None
    assert client.get("/orgs/acme/seats", headers=bearer(tenant_id="acme")).status_code == 200


def test_a_denial_is_answered_with_its_challenge(client):
    answer = client.get("/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")
    assert answer.headers["www-authenticate"] == 'Bearer realm="countersign"'
    assert client.get("/orgs/globex/seats", headers=bearer(tenant_id="acme")).status_code == 403
    assert client.get("/other", headers=bearer()).status_code == 403


def test_methods_in_lower_case_are_refused():
    assert Client().generic("get", "/me", headers=bearer()).status_code == 400


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"RAW_URI": "/me"}, 200),
        ({"RAW_URI": "/healthz"}, 400),
        ({"PATH_INFO": "/m\xff"}, 400),
        ({"SCRIPT_NAME": "/orgs/a"}, 403),
        ({"SCRIPT_NAME": "/orgs/a", "RAW_URI": "/orgs/a/me"}, 403),
        ({"SCRIPT_NAME": "/orgs/"}, 400),
    ],
)
def test_what_is_routed_is_judged_or_refused(more, status):
    assert Client().get("/me", headers=bearer(), **more).status_code == status


def test_with_a_forced_prefix_the_whole_path_is_judged(client):
    with override_settings(FORCE_SCRIPT_NAME="/orgs/acme"):
        assert client.get("/me", headers=bearer(tenant_id="acme")).status_code == 200
        assert client.get("/me", headers=bearer(tenant_id="globex")).status_code == 403


def test_what_an_earlier_middleware_has_read_is_read_anew(client):
    rules = [{"path": "/me", "credentials": [{"query": "t"}, {"cookie": "session"}], "require": {}}]
    with Gate(policy(rules=rules, strip_credential=True)) as other:
        gate_of_settings.cache_clear()
        try:
            with override_settings(
                COUNTERSIGN_GATE=other,
                MIDDLEWARE=["test_django.eager", "countersign.django.GateMiddleware"],
            ):
                made = token()
                body = client.get(
                    f"/me?a=1&t={made}",
                    headers={"x-auth-subject": "eve", "cookie": f"session={made}; b=2"},
                ).json()
                assert (body["query"], body["cookies"], body["header"]) == (
                    {"a": "1"},
                    {"b": "2"},
                    "ada",
                )
        finally:
            gate_of_settings.cache_clear()


def test_a_gate_that_only_observes_lets_everything_pass(client):
    events: list[DecisionEvent] = []
    rules = [{"path": "/open", "public": True}]
    with Gate(policy(rules=rules), on_decision=events.append) as other:
        gate_of_settings.cache_clear()
        try:
            with override_settings(COUNTERSIGN_GATE=other, COUNTERSIGN_OBSERVE=True):
                for path_, decision in [("/open", "Allow"), ("/closed", "Deny")]:
                    body = client.get(path_, headers={"x-auth-subject": "eve"}).json()
                    assert body == {"observed": decision, "granted": False, "header": "eve"}
                assert client.get("/readyz").content == b"ready\n"
                other.close()
                assert client.get("/closed").status_code == 200
                assert client.get("/readyz").status_code == 503
        finally:
            gate_of_settings.cache_clear()
    assert {event.mode for event in events} == {"observed"}
    assert [event.code for event in events][:2] == [None, "rule_denied"]


def unchecked(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            "observed": type(request.observed).__name__,  # type: ignore[attr-defined]
            "granted": hasattr(request, "grant"),
            "header": request.headers.get("x-auth-subject"),
        }
    )


def eager(get_response):
    """Read everything before the gate."""
    from inspect import iscoroutinefunction

    if iscoroutinefunction(get_response):

        async def middleware(request):
            assert request.GET is not None
            assert request.COOKIES is not None
            assert request.headers is not None
            return await get_response(request)
    else:

        def middleware(request):
            assert request.GET is not None
            assert request.COOKIES is not None
            assert request.headers is not None
            return get_response(request)

    return middleware


eager.sync_capable = eager.async_capable = True  # type: ignore[attr-defined]


def test_a_wrong_policy_is_a_wrong_configuration():
    gate_of_settings.cache_clear()
    try:
        with (
            override_settings(COUNTERSIGN_POLICY={"contract": "2"}),
            pytest.raises(ImproperlyConfigured) as raised,
        ):
            gate_of_settings()
        assert isinstance(raised.value.__cause__, PolicyError)
        with override_settings(COUNTERSIGN_POLICY=None), pytest.raises(ImproperlyConfigured):
            gate_of_settings()
    finally:
        gate_of_settings.cache_clear()
