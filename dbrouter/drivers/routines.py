"""
What a server's catalog says of its routines: the statements that ask.

Both engines answer rows of (name, schema, …), names as the catalog has them.
"""

from __future__ import annotations

from dbrouter.terms import Engine

_VOLATILE = (
    "(p.provolatile = 'v' OR EXISTS (SELECT 1 FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc s"
    " ON s.oid IN (a.aggtransfn, a.aggfinalfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)"
    " WHERE a.aggfnoid = p.oid AND s.provolatile = 'v'))"
)
"""An aggregate is declared immutable whatever the functions that it is made of do."""
_FIRST_OWN = 16384
"""The first oid that is not of the server's own making; extensions put functions into `pg_catalog`, too."""

STABLE = (
    f"SELECT p.proname::text AS name, n.nspname::text AS schema, bool_and(NOT {_VOLATILE}) AS harmless"
    " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " WHERE lower(p.proname::text) = ANY($1::text[]) GROUP BY 1, 2"
)
"""PostgreSQL, of the names given (lower case): per name and schema, whether every overload is stable or immutable."""

ROUTINES = {
    Engine.POSTGRESQL: (
        f"SELECT p.proname::text AS name, n.nspname::text AS schema, bool_or({_VOLATILE}) AS may_write,"
        " EXISTS (SELECT 1 FROM pg_catalog.pg_proc b WHERE b.proname = p.proname AND b.proargtypes = p.proargtypes"
        " AND b.pronamespace = 'pg_catalog'::regnamespace AND b.oid <> p.oid) AS hidden"
        " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
        f" WHERE p.oid >= {_FIRST_OWN} OR n.nspname NOT IN ('pg_catalog', 'information_schema') GROUP BY 1, 2, 4"
    ),
    Engine.MYSQL: (
        "SELECT routine_name AS name, routine_schema AS `schema`,"
        " sql_data_access NOT IN ('READS SQL DATA', 'NO SQL') AS may_write, FALSE AS hidden"
        " FROM information_schema.routines WHERE routine_type = 'FUNCTION'"
    ),
}
"""
Every function that somebody made: whether an overload may write, as far as it was declared, and whether only its name with the
schema calls it, because the server has one of the same arguments.
"""
