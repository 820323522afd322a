"""The smallest working program: writes go to the primary, reads to the replicas, and each call says where it ran."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dbrouter import Router

CONFIG = Path(__file__).with_name("first_script.yaml")


async def main() -> None:
    """Write once, read four times, ask why a statement goes where it goes."""
    async with Router.open(CONFIG) as router:
        written = await router.execute("INSERT INTO job(amount) VALUES ($1)", 42)
        print(f"write: {written.status} on {written.route.node} ({written.route.hostgroup})")

        for _ in range(4):
            read = await router.execute("SELECT pg_is_in_recovery() AS on_a_replica")
            print(f"read: on_a_replica={read[0]['on_a_replica']} on {read.route.node} ({read.route.hostgroup})")

        # Replicas lag. A read that must see the write above asks the primary.
        amount = await router.fetchval("SELECT amount FROM job ORDER BY id DESC LIMIT 1", route="write")
        print(f"read my own write: {amount}")

        print(router.explain("SELECT id FROM job WHERE done_at IS NULL FOR UPDATE"))


if __name__ == "__main__":
    asyncio.run(main())
