"""What `analyze` tells besides read or write: counts, session state, functions, flags the router acts on."""

from __future__ import annotations

import pytest

from dbrouter.sql import analyze
from dbrouter.terms import Engine, Intent


def test_the_engine_may_be_given_by_its_name() -> None:
    """A plain string names the engine as well as the enum does, and the result is the same object."""
    assert analyze("SELECT 1", "postgresql") is analyze("SELECT 1", Engine.POSTGRESQL)
    assert analyze("SELECT 1", "mysql") is not analyze("SELECT 1", Engine.POSTGRESQL)


def test_an_unknown_engine_is_refused() -> None:
    """An engine that does not exist is the caller's mistake."""
    with pytest.raises(ValueError, match="oracle"):
        analyze("SELECT 1", "oracle")


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("", 0),
        ("   ", 0),
        (";", 0),
        (" ; ; ", 0),
        ("-- x", 0),
        ("/* x */", 0),
        ("SELECT 1", 1),
        ("SELECT 1;", 1),
        ("SELECT 1 ; ", 1),
        ("SELECT 1;\n-- end", 1),
        (";SELECT 1", 1),
        ("SELECT 1; SELECT 2", 2),
        ("SELECT 1;;SELECT 2;;", 2),
        ("SELECT ';'", 1),
        ("SELECT 1 /* ; */", 1),
    ],
)
@pytest.mark.parametrize("engine", list(Engine))
def test_statements_are_counted(engine: Engine, sql: str, count: int) -> None:
    """Semicolons in strings and comments end nothing, empty statements are none."""
    assert analyze(sql, engine).statements == count


@pytest.mark.parametrize(
    ("engine", "sql"),
    [
        (
            "postgresql",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;",
        ),
        ("postgresql", "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2);"),
        ("postgresql", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2; $$"),
        ("postgresql", "DO $x$ BEGIN PERFORM 1; PERFORM 2; END $x$;"),
        ("mysql", "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END"),
        ("mysql", "CREATE DEFINER=`a`@`b` TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET NEW.a = 1; SET NEW.b = 2; END;"),
        ("mysql", "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END"),
    ],
)
def test_a_routine_is_one_statement(engine: str, sql: str) -> None:
    """The semicolons of a routine's body end no statement."""
    assert analyze(sql, engine).statements == 1


def test_a_statement_behind_a_routine_is_a_second_one() -> None:
    """What follows a PostgreSQL routine's END is counted."""
    sql = "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END; DELETE FROM t"

    assert analyze(sql, "postgresql").statements == 2


def test_empty_text_is_no_read() -> None:
    """Nothing to run is nothing to send to a replica."""
    statement = analyze("-- nothing", "mysql")

    assert (statement.kind, statement.intent, statement.statements) == ("EMPTY", Intent.WRITE, 0)


@pytest.mark.parametrize(
    ("engine", "sql", "kind"),
    [
        ("postgresql", "select 1", "SELECT"),
        ("postgresql", "((SELECT 1))", "SELECT"),
        ("postgresql", "WITH x AS (SELECT 1) SELECT * FROM x", "SELECT"),
        ("postgresql", "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "INSERT"),
        ("postgresql", "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "SELECT"),
        ("postgresql", "WITH x AS (SELECT 1) (SELECT * FROM x)", "SELECT"),
        ("postgresql", "begin", "BEGIN"),
        ("postgresql", "EXPLAIN ANALYZE SELECT 1", "EXPLAIN"),
        ("postgresql", "COPY t FROM STDIN", "COPY"),
        ("mysql", "CALL p()", "CALL"),
        ("mysql", "SELECT 1; DELETE FROM t", "SELECT"),
        ("mysql", "123", "UNKNOWN"),
        ("mysql", "frobnicate", "FROBNICATE"),
    ],
)
def test_kind_is_the_verb(engine: str, sql: str, kind: str) -> None:
    """The verb in upper case; behind WITH the main one; of several statements the first's."""
    assert analyze(sql, engine).kind == kind


@pytest.mark.parametrize(
    ("engine", "sql", "functions"),
    [
        ("postgresql", "SELECT lower(a), count(*), now(), 1", ()),
        ("postgresql", "SELECT my_fn(a), Other.Fn (b), my_fn(c)", ("my_fn", "other.fn")),
        ("postgresql", 'SELECT "My Fn"(a), "s"."f"(b)', ("my fn", "s.f")),
        ("postgresql", "SELECT pg_catalog.lower(a), pg_catalog.mystery(b)", ("mystery",)),
        ("postgresql", "SELECT public.lower(a)", ("public.lower",)),
        ("postgresql", "SELECT * FROM f(1) AS x(a, b), g(2) y(c)", ("f", "g")),
        ("postgresql", "WITH c(a) AS (SELECT f(1)) SELECT a FROM c", ("f",)),
        ("postgresql", "WITH c(a) AS MATERIALIZED (SELECT 1), d(b) AS NOT MATERIALIZED (SELECT 2) SELECT a FROM c", ()),
        ("postgresql", "SELECT * FROM f(1) AS (a int, b text)", ("f",)),
        (
            "postgresql",
            "INSERT INTO s.t (a, b) VALUES (f(1), lower('x')) ON CONFLICT (a) DO UPDATE SET (a, b) = (1, g(2))",
            ("f", "g"),
        ),
        ("postgresql", "SELECT a::numeric(10,2), CAST(b AS varchar(10)) FROM t WHERE a IN (1) AND EXISTS (SELECT 1)", ()),
        (
            "postgresql",
            "SELECT sum(a) FILTER (WHERE b) OVER (PARTITION BY c), percentile_cont(0.5) WITHIN GROUP (ORDER BY a)",
            (),
        ),
        ("postgresql", "CALL p(1)", ("p",)),
        ("postgresql", "EXPLAIN SELECT f(1)", ("f",)),
        ("postgresql", "SELECT 'f(1)', $$ g(1) $$ -- h(1)", ()),
        ("mysql", "SELECT IF(a, 1, 2), INSERT('a', 1, 1, 'b'), VALUES(a), CONVERT(a, DECIMAL(10, 2))", ()),
        ("mysql", "SELECT my_fn(a), `db`.`fn`(b)", ("my_fn", "db.fn")),
        ("mysql", "INSERT INTO t (a) VALUES (my_fn(1)) ON DUPLICATE KEY UPDATE a = VALUES(a)", ("my_fn",)),
        ("mysql", "SELECT * FROM t USE INDEX (a) PARTITION (p)", ()),
    ],
)
def test_unknown_functions_are_named(engine: str, sql: str, functions: tuple[str, ...]) -> None:
    """Calls of functions we do not know are listed once each; column lists, types and keywords are no calls."""
    assert analyze(sql, engine).functions == functions


@pytest.mark.parametrize(
    ("engine", "sql", "reason"),
    [
        ("postgresql", "SET a = 1", "SET"),
        ("postgresql", "SELECT currval('s')", "currval()"),
        ("postgresql", "SELECT pg_advisory_lock(1)", "advisory lock"),
        ("postgresql", "CREATE TEMP TABLE t (a int)", "temporary table"),
        ("postgresql", "LISTEN c", "LISTEN"),
        ("postgresql", "PREPARE p AS SELECT 1", "prepared statement"),
        ("postgresql", "BEGIN", "transaction control"),
        ("postgresql", "SET LOCAL a = 1", None),
        ("postgresql", "SELECT pg_advisory_xact_lock(1)", None),
        ("mysql", "SELECT LAST_INSERT_ID()", "LAST_INSERT_ID()"),
        ("mysql", "SELECT GET_LOCK('a', 1)", "named lock"),
        ("mysql", "SELECT @a", "user variable"),
        ("mysql", "SHOW WARNINGS", "SHOW WARNINGS"),
        ("mysql", "USE x", "USE"),
        ("mysql", "LOCK TABLES t READ", "table lock"),
        ("mysql", "HANDLER t OPEN", "HANDLER"),
        ("mysql", "SELECT SQL_CALC_FOUND_ROWS 1", "SQL_CALC_FOUND_ROWS"),
        ("mysql", "UPDATE t SET a = LAST_INSERT_ID(a + 1)", None),
        ("mysql", "SET GLOBAL a = 1", None),
        ("mysql", "SELECT @@version", None),
    ],
)
def test_session_state_is_named(engine: str, sql: str, reason: str | None) -> None:
    """`session_reason` names what the connection would keep or need; what ends with the statement is no session state."""
    statement = analyze(sql, engine)

    assert statement.session_reason == reason
    assert statement.session is (reason is not None)
    assert statement.intent is (Intent.READ if sql == "SELECT @@version" else Intent.WRITE)


@pytest.mark.parametrize(
    ("sql", "stdio"),
    [
        ("COPY t FROM STDIN", True),
        ("COPY t TO STDOUT", True),
        ("copy t (a, b) from stdin with (format csv)", True),
        ("COPY (SELECT 1 FROM stdin) TO STDOUT", True),
        ("COPY t FROM '/x'", False),
        ("COPY (SELECT * FROM stdin) TO '/x'", False),
        ("COPY t TO PROGRAM 'x'", False),
        ("SELECT * FROM stdin", False),
    ],
)
def test_copy_over_the_connection_is_seen(sql: str, stdio: bool) -> None:
    """COPY whose data go through the connection is told apart from COPY of files and programs."""
    assert analyze(sql, "postgresql").copy_stdio is stdio


@pytest.mark.parametrize(
    ("engine", "sql", "reroutable"),
    [
        ("postgresql", "SELECT f()", True),
        ("postgresql", "INSERT INTO t DEFAULT VALUES", True),
        ("postgresql", "CALL p()", False),
        ("postgresql", "DO $$ $$", False),
        ("postgresql", "SELECT 1; SELECT 2", False),
        ("postgresql", "EXECUTE p", False),
        ("mysql", "CALL p()", False),
        ("mysql", "DO 1", False),
    ],
)
def test_what_may_have_had_effect_before_its_refusal_is_not_reroutable(engine: str, sql: str, reroutable: bool) -> None:
    """A procedure's first INSERT stays when a later one is refused, so that CALL, DO and several statements stay put."""
    assert analyze(sql, engine).reroutable is reroutable


@pytest.mark.parametrize(
    ("sql", "commits"),
    [
        ("CREATE TABLE t (a INT)", True),
        ("CREATE TEMPORARY TABLE t (a INT)", False),
        ("DROP TEMPORARY TABLE t", False),
        ("DROP TABLE t", True),
        ("ALTER TABLE t ADD a INT", True),
        ("TRUNCATE t", True),
        ("RENAME TABLE t TO u", True),
        ("GRANT SELECT ON t TO u", True),
        ("ANALYZE TABLE t", True),
        ("LOCK TABLES t READ", True),
        ("BEGIN", True),
        ("START TRANSACTION", True),
        ("START REPLICA", True),
        ("SET PASSWORD = 'x'", True),
        ("FLUSH TABLES", True),
        ("COMMIT", False),
        ("INSERT INTO t VALUES (1)", False),
        ("SET a = 1", False),
        ("SELECT 1", False),
    ],
)
def test_implicit_commits_are_known(sql: str, commits: bool) -> None:
    """What makes MySQL commit an open transaction is marked; PostgreSQL has no such thing."""
    assert analyze(sql, "mysql").implicit_commit is commits
    assert analyze(sql, "postgresql").implicit_commit is False


@pytest.mark.parametrize(
    ("sql", "cacheable"),
    [
        ("SELECT 1", True),
        ("WITH x AS (SELECT 1) SELECT * FROM x", True),
        ("INSERT INTO t DEFAULT VALUES", True),
        ("MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", True),
        ("CREATE TABLE t (a int)", False),
        ("VACUUM", False),
        ("SHOW work_mem", False),
        ("SELECT 1; SELECT 2", False),
    ],
)
def test_what_is_worth_preparing(sql: str, cacheable: bool) -> None:
    """Single statements that a server plans are worth a prepared statement."""
    assert analyze(sql, "postgresql").cacheable is cacheable


def test_a_kept_result_is_bounded() -> None:
    """Many texts, and long ones, do not pile up."""
    from dbrouter.sql import analyze as module_function
    from dbrouter.sql.analyze import _KEPT, _KEPT_LENGTH, _kept

    for number in range(_KEPT + 100):
        module_function(f"SELECT {number}", "mysql")
    long = "SELECT '" + "x" * _KEPT_LENGTH + "'"

    assert len(_kept) <= _KEPT
    assert module_function(long, "mysql") is not module_function(long, "mysql")


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize(
    "sql",
    (
        *(
            "\x00",
            "SELECT \x00",
            "\udc80",
            "SELECT '\udc80'",
            "'",
            '"',
            "`",
            "/*",
            "/*!",
            "$$",
            "$a$",
            "E'\\",
            "\\",
            "U&",
            "@",
            "@@",
            ":",
        ),
        *("(" * 500, "EXPLAIN", "EXPLAIN (", "EXPLAIN FORMAT =", "EXPLAIN FOR SCHEMA", "SET", "COPY", "WITH", "CREATE"),
        *("SELECT set_config(", "f(", ".f("),
    ),
)
def test_scraps_are_never_reads_and_never_raise(engine: Engine, sql: str) -> None:
    """Whatever is cut off, binary or not SQL gets an answer, and it is to write; digest and names are had as well."""
    statement = analyze(sql, engine)

    assert statement.digest >= 0
    assert statement.named == ()
    assert repr(statement)
    if not sql.startswith(("EXPLAIN", "SELECT '", "SELECT set")):
        assert statement.intent is Intent.WRITE


@pytest.mark.parametrize("engine", list(Engine))
def test_ten_megabytes_are_read_to_their_end(engine: Engine) -> None:
    """What stands behind a string of 10 MB counts."""
    text = "SELECT '" + "it''s; " * 1_500_000 + "' FROM t"

    assert len(text) > 10_000_000
    assert analyze(text, engine).intent is Intent.READ
    assert analyze(text + " FOR UPDATE", engine).intent is Intent.WRITE


def test_ten_megabytes_of_tokens_are_read() -> None:
    """Millions of tokens are classified, the last ones too."""
    text = "SELECT * FROM t WHERE id IN (" + ",".join(["1,'a'"] * 1_700_000) + ") FOR UPDATE"

    assert len(text) > 10_000_000
    assert analyze(text, "mysql").intent is Intent.WRITE


@pytest.mark.parametrize(
    ("text", "functions"),
    [
        ("SELECT DISTINCT ON (x) f(1) FROM t", ("f",)),
        ("SELECT 1 OPERATOR(pg_catalog.+) f(1)", ("f",)),
        ("SELECT f(1) AS not", ("f",)),
        ("SELECT f(1) AS materialized", ("f",)),
        ("SELECT * FROM f(1) AS materialized (a int)", ("f",)),
        ("WITH x(a) AS MATERIALIZED (SELECT 1) SELECT * FROM x", ()),
        ("WITH x(a) AS NOT MATERIALIZED (SELECT 1) SELECT * FROM x", ()),
        ("WITH x(a) AS (SELECT 1) SELECT * FROM x", ()),
        ("SELECT * FROM (VALUES (1)) AS t(a)", ()),
        ("SELECT * FROM generate_series(1, 2) g(n)", ()),
    ],
)
def test_a_call_is_told_from_a_name_with_a_list(text: str, functions: tuple[str, ...]) -> None:
    """A name behind a parenthesis is an alias, but not behind the prefixes that an expression follows."""
    assert analyze(text, Engine.POSTGRESQL).functions == functions


@pytest.mark.parametrize(
    "text",
    [
        'EXPLAIN ("analyze") INSERT INTO t VALUES (1)',
        'EXPLAIN (ANALYZE OFF, "analyze" on) DELETE FROM t',
        'EXPLAIN ("analyze") SELECT pg_advisory_lock(77)',
        "SELECT U&\"!0073et_config\" UESCAPE '!' ('my.leak', 'x', false)",
        'SELECT U&"a" FROM t',
    ],
)
def test_what_hides_behind_quotes_is_no_read(text: str) -> None:
    """Quoted options and escaped names mean what they mean to the server."""
    assert analyze(text, Engine.POSTGRESQL).intent is Intent.WRITE


def test_a_function_that_runs_text_may_leave_anything_behind() -> None:
    """So the session is reset after it."""
    assert analyze("SELECT * FROM ts_stat('SELECT set_config(...)')", Engine.POSTGRESQL).opaque


@pytest.mark.parametrize(
    ("engine", "sql", "functions"),
    [
        ("postgresql", "SELECT lock(1), error('x'), year(2), copy(3), use(4), 🚀(), uuid()", "lock error year copy use 🚀 uuid"),
        ("postgresql", "SELECT rollup(1), cube(2), columns(3), by(4), a, sets(5), set(6)", "rollup cube columns by sets set"),
        ("postgresql", "SELECT a FROM t GROUP BY CUBE (a), ROLLUP (b) ORDER BY (a) FETCH FIRST (2) ROWS ONLY", ""),
        ("postgresql", "SELECT json_agg(t), jsonb_object_agg(a, b), format_type(1, 2) FROM t TABLESAMPLE mine (3)", ""),
        ("postgresql", "SELECT x FROM JSON_TABLE(j, '$[*]' COLUMNS (x int)) t JOIN (SELECT 1) u ON (true)", ""),
        ("postgresql", "INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET (a, b) = (1, 2)", ""),
        ("mysql", "SELECT operator(1), error(2), copy(3), €(), rollup(4)", "operator error copy € rollup"),
        ("mysql", "SELECT DISTINCTROW (a), ST_X(p), ST_GeomFromText('POINT(1 1)'), mine(1) FROM t", "mine"),
        ("mysql", "SELECT a FROM t, LATERAL (SELECT 1) x GROUP BY ROLLUP (a)", ""),
        ("mysql", "SELECT 1 MEMBER OF ('[1]') FROM t", ""),
        ("mysql", "SELECT of(1)", "of"),
        ("postgresql", "SELECT now() AT TIME ZONE ('utc')", ""),
        ("postgresql", "SELECT zone(1)", "zone"),
        ("postgresql", "SELECT * FROM unnest(ARRAY[1]) WITH ORDINALITY u(a, n)", ""),
        ("postgresql", "SELECT ordinality(1)", "ordinality"),
    ],
)
def test_a_word_is_a_function_where_it_is_called(engine: str, sql: str, functions: str) -> None:
    """Unreserved words of clauses are names that somebody may have given to a function; the clauses themselves call nothing."""
    assert analyze(sql, engine).functions == tuple(functions.split())


@pytest.mark.parametrize(
    ("sql", "commits"),
    [
        ("LOAD INDEX INTO CACHE t", True),
        ("LOAD DATA INFILE '/x' INTO TABLE t", False),
        ("IMPORT TABLE FROM '/x.sdi'", True),
        ("CLONE LOCAL DATA DIRECTORY '/x'", True),
        ("CREATE TEMPORARY SEQUENCE s", True),
        ("CREATE TEMPORARY TABLE s (id INT)", False),
        ("SET STATEMENT max_statement_time = 1 FOR TRUNCATE TABLE t", True),
        ("SET STATEMENT a = 1 FOR " * 2000 + "SELECT 1", False),
        ("SET STATEMENT a = 1 FOR", False),
        ("SET STATEMENT max_statement_time = 1, sort_buffer_size = 1000 FOR UPDATE t SET a = 1", False),
    ],
)
def test_what_ends_a_transaction_on_mysql(sql: str, commits: bool) -> None:
    """Statements before which the server commits, as MySQL 9.7 and MariaDB 10.11 were seen to do."""
    assert analyze(sql, Engine.MYSQL).implicit_commit is commits


@pytest.mark.parametrize("call", ["bt_index_parent_check('i')", "pg_buffercache_evict_all()", "(1).pg_buffercache_evict"])
def test_extensions_that_administer(call: str) -> None:
    """What extensions do to the server, or lock, is for the primary: a standby answers it by an error or by doing it."""
    assert analyze(f"SELECT {call}", Engine.POSTGRESQL).intent is Intent.WRITE
