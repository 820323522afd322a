"""
What a server's catalog says of its routines: the statements that ask.

Both engines answer rows of (name, schema, …), names as the catalog has them.
"""

from __future__ import annotations

from dbrouter.terms import Engine

STABLE = (
    "SELECT p.proname::text AS name, n.nspname::text AS schema, bool_and(p.provolatile IN ('i', 's')) AS harmless"
    " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " WHERE lower(p.proname::text) = ANY($1::text[]) GROUP BY 1, 2"
)
"""PostgreSQL, of the names given (lower case): per name and schema, whether every overload is stable or immutable."""

ROUTINES = {
    Engine.POSTGRESQL: (
        "SELECT p.proname::text AS name, n.nspname::text AS schema, bool_or(p.provolatile = 'v') AS may_write"
        " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') GROUP BY 1, 2"
    ),
    Engine.MYSQL: (
        "SELECT routine_name AS name, routine_schema AS `schema`,"
        " sql_data_access NOT IN ('READS SQL DATA', 'NO SQL') AS may_write"
        " FROM information_schema.routines WHERE routine_type = 'FUNCTION'"
    ),
}
"""Every function that somebody made: whether an overload may write, as far as it was declared."""
