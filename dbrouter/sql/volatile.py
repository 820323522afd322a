"""
Whether a statement may answer differently a moment later though no data changed: clocks, random numbers, identities, state of the
server. Such results are not cached unless a rule says so.

A name counts wherever it stands as a bare word, a column of that name included: too careful costs a round trip, too careless a
wrong answer.
"""

from __future__ import annotations

from dbrouter.sql.lexer import lex
from dbrouter.terms import Engine


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BOTH = _names("""
    CURRENT_DATE CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER LOCALTIME LOCALTIMESTAMP NOW SESSION_USER SYSTEM_USER
    USER VERSION
""")
_POSTGRESQL = _BOTH | _names("""
    AGE ARRAY_SAMPLE ARRAY_SHUFFLE CLOCK_TIMESTAMP CURRENT_CATALOG CURRENT_DATABASE CURRENT_QUERY CURRENT_SCHEMA
    CURRENT_SCHEMAS CURRENT_SETTING GEN_RANDOM_BYTES GEN_RANDOM_UUID INET_CLIENT_ADDR INET_CLIENT_PORT INET_SERVER_ADDR
    INET_SERVER_PORT PG_BACKEND_PID PG_CONF_LOAD_TIME PG_IS_IN_RECOVERY PG_LOCK_STATUS PG_MY_TEMP_SCHEMA
    PG_POSTMASTER_START_TIME PG_SLEEP PG_SLEEP_FOR PG_SLEEP_UNTIL PG_XACT_STATUS RANDOM RANDOM_NORMAL STATEMENT_TIMESTAMP
    TABLESAMPLE TIMEOFDAY TRANSACTION_TIMESTAMP TXID_STATUS UUIDV4 UUIDV7 UUID_GENERATE_V1 UUID_GENERATE_V1MC UUID_GENERATE_V4
""")
_PREFIXES = ("PG_LAST_", "PG_STAT_", "PG_LS_", "PG_CURRENT_", "TXID_")
_MYSQL = _BOTH | _names("""
    @@ BENCHMARK BINLOG_GTID_POS CONNECTION_ID CURDATE CURTIME DATABASE IS_FREE_LOCK IS_USED_LOCK LAST_VALUE LOAD_FILE
    MASTER_GTID_WAIT MASTER_POS_WAIT PS_CURRENT_THREAD_ID RAND RANDOM_BYTES SCHEMA SLEEP SOURCE_POS_WAIT SYSDATE SYS_GUID
    UNIX_TIMESTAMP UTC_DATE UTC_TIME UTC_TIMESTAMP UUID UUID_SHORT WAIT_FOR_EXECUTED_GTID_SET
""")


def volatile_words(text: str, engine: Engine) -> tuple[str, ...]:
    """The words of *text* that make its result depend on more than the data, each once; none where it may be kept."""
    tokens = lex(text, engine).tokens
    if engine is Engine.MYSQL:
        return tuple(dict.fromkeys(token for token in tokens if token in _MYSQL))
    return tuple(dict.fromkeys(token for token in tokens if token in _POSTGRESQL or token.startswith(_PREFIXES)))
