"""
Functions that write, or need the session, as the servers' manuals describe them.

Written down without a look at `dbrouter.sql.functions`.
"""

from __future__ import annotations

import re

# PostgreSQL, chapter 9: sequences, advisory locks, large objects, notification, and what administers or writes the log.
POSTGRESQL = re.compile(
    r"nextval|setval|currval|lastval|setseed|set_config|pg_(?:try_)?advisory_\w+|lo_\w+|lo(?:read|write)|pg_notify|txid_current"
    r"|pg_current_xact_id|pg_(?:terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile|pg_stat_(?:reset|force|clear)\w*"
    r"|pg_log_\w+|pg_export_snapshot|pg_(?:create|drop|copy)_\w*(?:slot|point)|pg_replication_(?:origin|slot)_\w+|pg_promote"
    r"|pg_(?:switch_wal|logical_\w+|wal_replay_(?:pause|resume)|backup_\w+|current_wal\w*|walfile_name\w*)"
    r"|pg_import_system_collations|pg_(?:clear|restore)_\w+_stats|(?:brin|gin)_(?:summarize|clean)\w+"
    r"|(?:query|cursor|schema|database)_to_xml\w*|ts_(?:stat|rewrite)|dblink\w*",
    re.IGNORECASE,
)
# MySQL, chapters "Locking Functions" and "Information Functions"; MariaDB, "SEQUENCE Functions".
MYSQL = re.compile(
    r"get_lock|release_(?:all_)?locks?|is_(?:free|used)_lock|last_insert_id|found_rows|row_count|nextval|setval|lastval",
    re.IGNORECASE,
)
