"""
An aiohttp service: the router lives as long as the application, and health endpoints where no ASGI is spoken.

    python examples/aiohttp_service/app.py          # SIGTERM: answers what is in hand, closes the router, ends
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from math import ceil
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from dbrouter import (
    CircuitOpenError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    NoNodeAvailableError,
    OutcomeUnknownError,
    PoolError,
    RetriesExhaustedError,
    Router,
)
from dbrouter.integrations.asgi import HealthEndpoints

CONFIG = Path(__file__).with_name("dbrouter.yaml")
OUTAGE = (
    NoNodeAvailableError,
    CircuitOpenError,
    PoolError,
    ConnectError,
    ConnectionLostError,
    RetriesExhaustedError,
    DeadlineExceededError,
)
ROUTER = web.AppKey("router", Router)
ENDPOINTS = web.AppKey("endpoints", HealthEndpoints)

log = logging.getLogger("shop")


def create_app(config: Path = CONFIG) -> web.Application:
    """The service; what follows `yield` in `router_of_the_app` runs after the last request is answered."""

    async def router_of_the_app(app: web.Application) -> AsyncIterator[None]:
        async with Router.open(config) as router:
            app[ROUTER] = router
            app[ENDPOINTS] = HealthEndpoints(router)
            yield

    app = web.Application(middlewares=[database_errors])
    app.cleanup_ctx.append(router_of_the_app)
    app.router.add_get("/products/{id:[0-9]+}", read_product)
    app.router.add_get("/internal/{endpoint}", health)
    return app


async def read_product(request: web.Request) -> web.Response:
    """A read: any healthy replica answers."""
    number = int(request.match_info["id"])
    row = await request.app[ROUTER].fetchrow("SELECT id, name, stock FROM product WHERE id = :id", {"id": number})
    if row is None:
        raise web.HTTPNotFound(text=f"there is no product {number}")
    return web.json_response(dict(row))


async def health(request: web.Request) -> web.Response:
    """`/internal/livez`, `/readyz`, `/health`, `/breakers`, `/metrics`: no I/O, so no probe ever waits."""
    answer = request.app[ENDPOINTS].answer(request.method, f"/{request.match_info['endpoint']}")
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


@web.middleware
async def database_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What clients get when the database cannot: 504 where nobody knows, 503 where nothing happened."""
    try:
        return await handler(request)
    except OutcomeUnknownError as error:
        log.warning("%s %s: %s", request.method, request.path, error)
        return web.json_response({"error": "outcome unknown; look before you repeat"}, status=504)
    except OUTAGE as error:
        log.warning("%s %s: %s", request.method, request.path, error)
        seconds = max(1, ceil(error.retry_after)) if isinstance(error, CircuitOpenError) else 1
        return web.json_response({"error": "database unavailable"}, status=503, headers={"Retry-After": str(seconds)})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
    # Shorter than the grace period that your supervisor gives before SIGKILL.
    web.run_app(create_app(), host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), shutdown_timeout=10)
