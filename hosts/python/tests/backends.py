"""Real routers for the differential test: `backends.py ROUTER POLICY`.

The protocol is in `tests/routers/README.md`.
"""

import asyncio
import json
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from countersign import Gate

HANDLERS = {
    "public": ["/public", "/public/{rest:path}"],
    "edit": ["/items/{id}/edit"],
    "item": ["/items/{id}"],
    "admin": ["/admin", "/admin/{rest:path}"],
    "report": ["/Reports/{id}"],
    "space": ["/a b"],
    "mail": ["/a@b:c", "/a@b:c/{rest:path}"],
    "rest": ["/{rest:path}"],
}
HOST = "open.example.com"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def main(router: str, policy: str) -> None:
    gate = Gate(Path(policy), instances=1)
    sock = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": sock.getsockname()[1]}), flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    ROUTERS[router](gate, sock)


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


def answer(name: str, fields: list[tuple[str, str]]) -> str:
    """Return the name of the handler, or that somebody spoofed it."""
    for field, value in fields:
        if field.lower().replace("_", "-") == "x-auth-subject" and value != "ada":
            return "spoofed"
    return name


def asgi(app: Any, sock: socket.socket, http: str = "h11") -> None:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, http=http, log_level="critical", lifespan="off"))
    server.run([sock])


def hypercorn(app: Any, sock: socket.socket) -> None:
    """Serve HTTP/2 too."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{sock.fileno()}"]
    asyncio.run(serve(app, config))


def wsgi(app: Any, sock: socket.socket) -> None:
    """Serve by a server that passes on only the decoded path."""
    from waitress import serve

    serve(app, sockets=[sock], threads=4)


def starlette_app(gate: Gate) -> Any:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.responses import PlainTextResponse
    from starlette.routing import Host, Route, Router

    from countersign.asgi import GateMiddleware

    def handler(name: str) -> Any:
        class Endpoint:
            """All methods, as `HTTPEndpoint` finds them: without regard to case."""

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                fields = [
                    (one.decode("latin-1"), two.decode("latin-1")) for one, two in scope["headers"]
                ]
                said = answer(name, fields)
                await PlainTextResponse(f"handler={said}", headers={"x-handler": said})(
                    scope, receive, send
                )

        return Endpoint()

    routes = [Route(path, handler(name)) for name, paths in HANDLERS.items() for path in paths]
    hosted = Router([Route("/hosted", handler("hosted")), *routes])
    return Starlette(
        routes=[Host(HOST, hosted), *routes], middleware=[Middleware(GateMiddleware, gate=gate)]
    )


def fastapi_app(gate: Gate) -> Any:
    from fastapi import FastAPI, Request, Response

    from countersign.fastapi import protect

    app = FastAPI(openapi_url=None)
    protect(app, gate)

    def add(name: str, path: str) -> None:
        @app.api_route(path, methods=METHODS)
        def handler(request: Request) -> Response:
            said = answer(name, request.headers.items())
            return Response(f"handler={said}", headers={"x-handler": said})

    for name, paths in HANDLERS.items():
        for path in paths:
            add(name, path)
    return app


def flask_app(gate: Gate) -> Any:
    from flask import Flask, Response, request

    from countersign.flask import protect

    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    protect(app, gate)

    def add(name: str, path: str) -> None:
        def handler(**_: str) -> Response:
            fields = [
                (key[5:], value)
                for key, value in request.environ.items()
                if key.startswith("HTTP_")
            ]
            said = answer(name, fields)
            return Response(f"handler={said}", headers={"x-handler": said})

        rule = path.replace("{rest:path}", "<path:rest>").replace("{id}", "<id>")
        app.add_url_rule(rule, f"{name} {path}", handler, methods=METHODS)

    for name, paths in HANDLERS.items():
        for path in paths:
            add(name, path)
    add("rest", "/")
    return app


def django_app(gate: Gate, *, is_async: bool) -> Any:
    import django
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.urls import re_path

    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="django_urls",
        MIDDLEWARE=[
            "countersign.django.GateMiddleware",
            "django.middleware.common.CommonMiddleware",
        ],
        COUNTERSIGN_GATE=gate,
        SECRET_KEY="of the tests",
    )
    django.setup()

    def handler(name: str) -> Any:
        def view(request: HttpRequest, **_: str) -> HttpResponse:
            fields = [
                (key[5:], value) for key, value in request.META.items() if key.startswith("HTTP_")
            ]
            said = answer(name, fields)
            return HttpResponse(f"handler={said}", headers={"x-handler": said})

        view.csrf_exempt = True  # type: ignore[attr-defined]
        return view

    def pattern(path: str) -> str:
        return (
            "^"
            + path[1:].replace("{rest:path}", "(?P<rest>.*)").replace("{id}", "(?P<id>[^/]+)")
            + "$"
        )

    urls = [
        re_path(pattern(path), handler(name)) for name, paths in HANDLERS.items() for path in paths
    ]
    module = type(sys)("django_urls")
    module.urlpatterns = urls  # type: ignore[attr-defined]
    sys.modules["django_urls"] = module
    if is_async:
        from django.core.asgi import get_asgi_application

        return get_asgi_application()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


ROUTERS = {
    "starlette": lambda gate, sock: asgi(starlette_app(gate), sock),
    "starlette-http2": lambda gate, sock: hypercorn(starlette_app(gate), sock),
    "fastapi": lambda gate, sock: asgi(fastapi_app(gate), sock, "httptools"),
    "flask": lambda gate, sock: wsgi(flask_app(gate), sock),
    "flask-gunicorn": lambda gate, sock: gunicorn(flask_app(gate), sock),
    "django": lambda gate, sock: wsgi(django_app(gate, is_async=False), sock),
    "django-asgi": lambda gate, sock: asgi(django_app(gate, is_async=True), sock),
}


def gunicorn(app: Any, sock: socket.socket) -> None:
    """Serve by a server that says the target as it was sent, in a forked process."""
    from gunicorn.app.base import BaseApplication

    class Application(BaseApplication):
        def load_config(self) -> None:
            self.cfg.set("bind", [f"fd://{sock.fileno()}"])
            self.cfg.set("threads", 4)
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("loglevel", "critical")

        def load(self) -> Any:
            return app

    Application().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
