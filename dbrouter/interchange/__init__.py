"""
Configurations of other tools: `import_proxysql` reads ProxySQL's, `export_proxysql` and `export_pgbouncer` write for ProxySQL and
PgBouncer, each with a report of what could not be carried.

What ProxySQL's tables mean is `dbrouter.config.proxysql`'s.
"""

from __future__ import annotations

from dbrouter.interchange.exporting import Exported, export_proxysql
from dbrouter.interchange.importing import Imported, import_proxysql
from dbrouter.interchange.pgbouncer import ForPgBouncer, export_pgbouncer

__all__ = ["Exported", "ForPgBouncer", "Imported", "export_pgbouncer", "export_proxysql", "import_proxysql"]
