"""
A FastAPI service: one router for the life of the process, reads on replicas, writes that may be repeated, health endpoints.

    uvicorn examples.fastapi_service.app:app
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, PositiveInt

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
    Transaction,
)
from dbrouter.integrations.asgi import health_app

CONFIG = Path(__file__).with_name("dbrouter.yaml")
OUTAGE = (NoNodeAvailableError, PoolError, ConnectError, ConnectionLostError, RetriesExhaustedError, DeadlineExceededError)
"""Nothing was applied and the caller may come again. What else dbrouter raises is a mistake in this program: a plain 500."""

log = logging.getLogger("shop")


def create_app(config: Path = CONFIG) -> FastAPI:
    """The service; the router is opened when it starts (after a fork, in the loop it runs in) and closed when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Router.open(config) as router:
            app.state.router = router
            app.mount("/internal", health_app(router))  # /internal/livez, /readyz, /health, /breakers, /metrics
            yield

    app = FastAPI(title="shop", lifespan=lifespan)
    app.add_api_route("/products/{product_id}", read_product, methods=["GET"])
    app.add_api_route("/orders", place_order, methods=["POST"], status_code=201)
    app.add_exception_handler(OutcomeUnknownError, outcome_unknown)
    app.add_exception_handler(CircuitOpenError, circuit_open)
    for kind in OUTAGE:
        app.add_exception_handler(kind, unavailable)
    return app


def the_router(request: Request) -> Router:
    """The dependency that routes ask for; tests override it with ``app.dependency_overrides``."""
    router: Router = request.app.state.router
    return router


Db = Annotated[Router, Depends(the_router)]


# ---- routes


class Order(BaseModel):
    """An order; the client chooses `request_id`, so that it may send the same order again and get it once."""

    request_id: UUID
    product_id: int
    quantity: PositiveInt


async def read_product(product_id: int, db: Db) -> dict[str, Any]:
    """A read: any healthy replica answers."""
    row = await db.fetchrow("SELECT id, name, stock FROM product WHERE id = :id", {"id": product_id})
    if row is None:
        raise HTTPException(404, f"there is no product {product_id}")
    return dict(row)


async def place_order(order: Order, db: Db) -> dict[str, Any]:
    """A write of several statements: all or nothing, again as a whole after a deadlock, once however often it is sent."""

    async def work(tx: Transaction) -> str:
        new = await tx.execute(
            "INSERT INTO customer_order(request_id, product_id, quantity) "
            "SELECT :request, id, :quantity FROM product WHERE id = :product ON CONFLICT (request_id) DO NOTHING",
            {"request": order.request_id, "product": order.product_id, "quantity": order.quantity},
        )
        if not new.rowcount:
            known = await tx.fetchval("SELECT 1 FROM customer_order WHERE request_id = $1", order.request_id)
            return "already placed" if known else "no such product"
        taken = await tx.execute(
            "UPDATE product SET stock = stock - :quantity WHERE id = :product AND stock >= :quantity",
            {"quantity": order.quantity, "product": order.product_id},
        )
        if not taken.rowcount:
            raise HTTPException(409, "not enough in stock")  # leaves the block: rolled back
        return "placed"

    outcome = await db.run(work)
    if outcome == "no such product":
        raise HTTPException(404, f"there is no product {order.product_id}")
    return {"request_id": str(order.request_id), "outcome": outcome}


# ---- what clients see when the database cannot do it


async def outcome_unknown(request: Request, error: Exception) -> JSONResponse:
    """504: it may have happened. The request carries its own key, so the client may simply send it again."""
    log.warning("%s %s: %s", request.method, request.url.path, error)
    return JSONResponse({"error": "outcome unknown; send the same request again"}, 504, headers={"Retry-After": "1"})


async def circuit_open(request: Request, error: Exception) -> JSONResponse:
    """503: every node that could do it is known to be broken; nothing was sent, and the breaker knows when to try again."""
    log.warning("%s %s: %s", request.method, request.url.path, error)
    assert isinstance(error, CircuitOpenError)
    return JSONResponse({"error": "database unavailable"}, 503, headers={"Retry-After": str(max(1, ceil(error.retry_after)))})


async def unavailable(request: Request, error: Exception) -> JSONResponse:
    """503: no connection or no usable node in time; nothing was applied."""
    log.warning("%s %s: %s", request.method, request.url.path, error)
    return JSONResponse({"error": "overloaded or unavailable"}, 503, headers={"Retry-After": "1"})


app = create_app()
