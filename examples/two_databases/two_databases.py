"""Two databases of two engines in one router: the same calls, the same rules, the same parameters."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dbrouter import Router, StatementRejectedError

CONFIG = Path(__file__).with_name("dbrouter.yaml")


async def main() -> None:
    """Use both, and let each rule of the file speak once."""
    async with Router.open(CONFIG) as router:  # the calls of the router itself go to `shop`
        catalog = router.database("catalog")

        await catalog.execute("CREATE TABLE IF NOT EXISTS price (product_id int PRIMARY KEY, cents int NOT NULL)")
        await catalog.execute("REPLACE INTO price VALUES (:product, :cents)", {"product": 1, "cents": 1990})

        shop_read = await router.execute("SELECT 1")
        catalog_read = await catalog.execute("SELECT 1")
        price = await catalog.execute("SELECT cents FROM price WHERE product_id = :product", {"product": 1})
        report = await router.execute("SELECT count(*) FROM product", tag="report")
        for what, result in (("shop", shop_read), ("catalog", catalog_read), ("price", price), ("report", report)):
            print(f"{what}: {result.route.hostgroup} on {result.route.node}, rule {result.route.rule_id}")
        print(f"the price is {price[0]['cents']} cents")

        for database in (router, catalog):
            try:
                await database.execute("TRUNCATE price")
            except StatementRejectedError as error:
                print(f"refused: {error}")


if __name__ == "__main__":
    asyncio.run(main())
