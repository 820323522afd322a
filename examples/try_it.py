"""
Run an example on real servers of this machine, started for it and ended with it.

    python examples/try_it.py examples/first_script.py
    python examples/try_it.py -m uvicorn examples.fastapi_service.app:app
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from dbrouter import Router
from dbrouter.testing import LocalCluster

SCHEMA = Path(__file__).with_name("schema.sql")


def variables(prefix: str, cluster: LocalCluster) -> dict[str, str]:
    """What the YAML files of the examples ask the environment for."""
    found = {
        f"{prefix}_PRIMARY": cluster.primary.endpoint,
        f"{prefix}_PASSWORD": "app-secret",
        f"{prefix}_DATABASE": "app",
    }
    for number, replica in enumerate(cluster.replicas, start=1):
        found[f"{prefix}_REPLICA_{number}"] = replica.endpoint
    return found


async def create_schema(cluster: LocalCluster) -> None:
    """Make the tables of the examples, and wait until the replicas have them."""
    async with Router.open({"writer": cluster.primary.dsn()}) as router:
        await router.execute(SCHEMA.read_text(encoding="utf-8"))
    await asyncio.to_thread(cluster.wait_caught_up)


def main(arguments: list[str]) -> int:
    """Start what the example needs, run it, end what was started."""
    if not arguments:
        print(__doc__)
        return 2
    with ExitStack() as stack:
        shop = stack.enter_context(LocalCluster("postgresql-18"))
        environment = variables("SHOP", shop)
        if "two_databases" in arguments[-1]:
            environment |= variables("CATALOG", stack.enter_context(LocalCluster("mariadb-10.11")))
        asyncio.run(create_schema(shop))
        program = subprocess.Popen([sys.executable, *arguments], env=os.environ | environment)
        signal.signal(signal.SIGTERM, lambda *_: program.terminate())
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the example too, which stops in its own way
        return program.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
