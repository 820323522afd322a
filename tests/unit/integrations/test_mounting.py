"""The health application inside a real framework, mounted and behind a prefix."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from dbrouter.integrations.asgi import health_app
from tests.unit.integrations.reports import ONE_DOWN, ReportingRouter


@pytest.mark.parametrize("mount", ["/internal", "/internal/db", ""])
@pytest.mark.parametrize(("root_path", "prefix"), [("", ""), ("/api", ""), ("/api", "/api")], ids=["bare", "stripped", "kept"])
async def test_a_framework_can_mount_it_anywhere(mount: str, root_path: str, prefix: str) -> None:
    """Every endpoint is found under the mount point, also behind a proxy whose prefix is stripped from the path or kept in it."""
    service = FastAPI()
    service.mount(mount or "/", health_app(ReportingRouter(ONE_DOWN)))
    transport = httpx.ASGITransport(app=service, root_path=root_path)

    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        codes = {
            path: (await client.get(f"{prefix}{mount}{path}")).status_code
            for path in ("/livez", "/readyz", "/health", "/breakers", "/metrics", "/nothing")
        }

    assert codes == {"/livez": 200, "/readyz": 200, "/health": 200, "/breakers": 200, "/metrics": 200, "/nothing": 404}
