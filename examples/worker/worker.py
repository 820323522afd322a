"""
A job worker: several loops take jobs from a table, each job in one transaction that is run again as a whole where that is safe.

    python examples/worker/worker.py          # ends after SIGTERM, once the jobs in hand are done
"""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path

from dbrouter import (
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    OutcomeUnknownError,
    PoolError,
    RetriesExhaustedError,
    Router,
    RoutingError,
    Transaction,
)

CONFIG = Path(__file__).with_name("dbrouter.yaml")
LOOPS = 4
POLL_SECONDS = 0.2
OUTAGE = (RoutingError, PoolError, ConnectError, ConnectionLostError, RetriesExhaustedError, DeadlineExceededError)

log = logging.getLogger("worker")


async def do_next_job(tx: Transaction) -> int | None:
    """
    Do one job and mark it done, or answer None where there is none.

    `SKIP LOCKED` lets every loop and every process take another job.
    The payment has the job's id as its key: however often a job is taken, it is paid once.
    """
    job = await tx.fetchrow(
        "SELECT id, amount FROM job WHERE done_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    if job is None:
        return None
    await tx.execute(
        "INSERT INTO payment(job_id, amount) VALUES (:id, :amount) ON CONFLICT (job_id) DO NOTHING",
        {"id": job["id"], "amount": job["amount"]},
    )
    await tx.execute("UPDATE job SET done_at = now() WHERE id = $1", job["id"])
    return int(job["id"])


async def work(router: Router, stopping: asyncio.Event) -> None:
    """Take jobs until told to stop; the one in hand is finished first."""
    while not stopping.is_set():
        try:
            done = await router.run(do_next_job)
        except OutcomeUnknownError as error:
            # COMMIT was sent and its answer never came. Looking again is enough: a job that was committed is not taken again.
            log.warning("unknown whether the last job was committed: %s", error)
            continue
        except OUTAGE as error:
            log.warning("the database is out of reach: %s", error)
            await pause(stopping, 1.0)
            continue
        if done is None:
            await pause(stopping, POLL_SECONDS)
        else:
            log.info("job %d done", done)


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait, but not past the order to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass


async def main() -> None:
    """Work until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    router = await Router.open(CONFIG)
    try:
        async with asyncio.TaskGroup() as loops:
            for _ in range(LOOPS):
                loops.create_task(work(router, stopping))
            log.info("ready")
    finally:
        await router.aclose(timeout=10)
        log.info("stopped")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
    asyncio.run(main())
