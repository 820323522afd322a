# --- plain reads -------------------------------------------------------------------------------------------------------
read | SELECT 1
read | select * from t
read | SeLeCt a, b FROM t WHERE id = 1
read | SELECT
read | SELECT 1;
read | SELECT 1 ; ;
read | ;SELECT 1
read |    SELECT 1
read | ␉SELECT⏎1
read | -- a comment⏎SELECT 1
read | --⏎SELECT 1
read | /* a comment */ SELECT 1
read | /* DELETE FROM t */ SELECT 1
read | /* a /* nested DELETE */ FROM t */ SELECT 1
read | /* a /* b */ /* c */ */ SELECT 1 /* d /* e */ f */
read | /**/SELECT/**/1/**/
read | SELECT 1 -- FOR UPDATE
read | SELECT 1 /* FOR UPDATE */
read | SELECT 1 -- ; DELETE FROM t
read | SELECT 1 /* ; DELETE FROM t */
read | (SELECT 1)
read | ((SELECT 1))
read | ( ( SELECT a FROM t ) ) ORDER BY 1 LIMIT 1
read | (SELECT 1) UNION (SELECT 2)
read | SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4
read | (SELECT a FROM t) UNION SELECT id FROM u ORDER BY 1
read | VALUES (1), (2)
read | VALUES (1, 'a'), (2, 'b') ORDER BY 1 LIMIT 1
read | (VALUES (1))
read | TABLE t
read | TABLE ONLY t
read | TABLE corpus.t ORDER BY 1
read | WITH x AS (SELECT 1) SELECT * FROM x
read | WITH x(a) AS (SELECT 1) SELECT a FROM x
read | WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n
read | WITH x AS MATERIALIZED (SELECT 1), y AS NOT MATERIALIZED (SELECT 2) SELECT * FROM x, y
read | WITH x AS (VALUES (1)) TABLE x
read | WITH x AS (SELECT 1) VALUES (1)
read | WITH a AS (WITH b AS (SELECT 1) SELECT * FROM b) SELECT * FROM a
read | WITH x AS (SELECT 1) (SELECT * FROM x)
read | SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) y
read | SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b
read | SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 1
read | SELECT a, sum(id) FROM t GROUP BY ROLLUP (a)
read | SELECT a, sum(id) FROM t GROUP BY GROUPING SETS ((a), ())
read | SELECT row_number() OVER (PARTITION BY a ORDER BY id) FROM t
read | SELECT sum(id) FILTER (WHERE a > 1) OVER w FROM t WINDOW w AS (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
read | SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FROM t
read | SELECT * FROM t LEFT JOIN u ON u.id = t.id
read | SELECT * FROM t JOIN u USING (id)
read | SELECT * FROM t NATURAL JOIN u
read | SELECT * FROM t CROSS JOIN LATERAL (SELECT t.a + 1) x(c)
read | SELECT * FROM generate_series(1, 3) AS g(i)
read | SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS g(i, n)
read | SELECT * FROM json_to_record('{"a":1}') AS (a int)
read | SELECT * FROM json_to_recordset('[{"a":1}]') AS x(a int, b text)
read | SELECT * FROM ROWS FROM (generate_series(1,2), generate_series(3,4)) AS r(a, b)
read | SELECT * FROM unnest(ARRAY[1,2], ARRAY['a','b']) AS x(n, s)
read | SELECT * FROM t TABLESAMPLE BERNOULLI (50) REPEATABLE (1)
read | SELECT * FROM t FETCH FIRST 1 ROW ONLY
read | SELECT * FROM t ORDER BY id OFFSET 1 FETCH NEXT 2 ROWS WITH TIES
read error{WITH TIES needs ORDER BY} | SELECT * FROM t FETCH FIRST 2 ROWS WITH TIES
read | SELECT * FROM t FOR READ ONLY
read | SELECT CASE WHEN a > 1 THEN 'x' ELSE 'y' END FROM t
read | SELECT a FROM t WHERE id IN (SELECT id FROM u)
read | SELECT EXISTS (SELECT 1 FROM t)
read | SELECT a FROM t WHERE id = ANY (ARRAY[1, 2])
read | SELECT a FROM t WHERE (id, a) IN ((1, 2), (3, 4))
read | SELECT coalesce(a, 0), nullif(a, 1), greatest(a, 1), least(a, 2) FROM t
read | SELECT a::numeric(10, 2), cast(a AS varchar(10)), a :: text FROM t
read | SELECT CAST(a AS double precision) FROM t
read | SELECT '{1,2}'::int[], (ARRAY[1, 2])[1], (ARRAY[1,2,3])[1:2]
read | SELECT j -> 'a', j ->> 'b', j #> '{a}', j #>> '{a}' FROM t
read | SELECT * FROM t WHERE j @> '{"a": 1}'
read | SELECT * FROM t WHERE j ? 'a' AND j ?| ARRAY['a'] AND j ?& ARRAY['a']
read | SELECT * FROM t WHERE j @? '$.a' AND j @@ '$.a == 1'
read | SELECT substring('abc' FROM 2 FOR 1), overlay('abc' PLACING 'x' FROM 1 FOR 2), position('a' IN 'abc'), trim(BOTH ' ' FROM ' a ')
read | SELECT extract(year FROM now()), now() AT TIME ZONE 'UTC', interval '1 day', date '2020-01-01', timestamp '2020-01-01'
read | SELECT current_user, session_user, current_date, current_timestamp, localtime, current_schema, current_catalog
read | SELECT 'it''s', E'it\'s', E'a\\', U&'d\0061t\+000061', B'01', X'1F', N'x'
read | SELECT E'a'⏎'b\'c' FROM t
read | SELECT 'FOR UPDATE', 'INTO x', '; DELETE FROM t; --'
read | SELECT $$; DELETE FROM t$$, $a$ $$ nextval('s') $a$
read | SELECT "id" FROM "t"
read | SELECT id AS "FOR UPDATE" FROM t
read | SELECT id AS "insert" FROM t
read | SELECT "Delete" FROM "Update"
read | SELECT 'a\b'
read | SELECT 'a\\'
read | SELECT 1 WHERE 'a' LIKE 'b\_' ESCAPE '!'
read | SELECT a FROM t WHERE b LIKE '50%'
read | SELECT t.id, t.a FROM corpus.t AS t
read | SELECT (t).a FROM t
read | SELECT t.* FROM t
read | SELECT ROW(1, 2), ROW(t.*) FROM t
read | SELECT 1 a, 2 b
read | SELECT -1, - 1, +1, 1-1, 1 - -1, 2*-3
read | SELECT 1 + --⏎ 1
read | SELECT 1.5e-3, .5, 1., 1e10
read | SELECT b !~ '1' OR 'a' ~* 'b' OR 'a' !~~ 'b' FROM t WHERE false
read | SELECT f_read()
read | SELECT corpus.f_read()
read | SELECT * FROM f_rows()
read | SELECT * FROM v
read | SELECT * FROM mv
read | SELECT lower(b), upper(b), length(b), md5(b), to_char(now(), 'YYYY') FROM t
read | SELECT pg_catalog.lower(b) FROM t
read | SELECT "lower"(b) FROM t
read | SELECT random(), clock_timestamp(), gen_random_uuid(), timeofday()
read | SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp()
read | SELECT pg_sleep(0)
read | SELECT current_setting('work_mem')
read | SELECT pg_backend_pid(), version(), current_database(), inet_server_port()
read | SELECT txid_current_if_assigned(), txid_current_snapshot()
read | SELECT pg_current_xact_id_if_assigned(), pg_current_snapshot()
read | SELECT pg_table_size('t'), pg_relation_size('t'), pg_database_size(current_database()), pg_size_pretty(1::bigint)
read | SELECT pg_get_viewdef('v'::regclass), pg_get_functiondef('f_read'::regproc)
read | SELECT * FROM pg_stat_activity
read | SELECT * FROM pg_locks
read | SELECT * FROM pg_settings
read | SELECT * FROM pg_stat_replication
read | SELECT * FROM pg_catalog.pg_class
read | SELECT * FROM information_schema.tables
read | SELECT has_table_privilege('t', 'INSERT'), has_table_privilege('t', 'UPDATE')
read | SELECT obj_description('t'::regclass), col_description('t'::regclass, 1)
read | SELECT to_tsvector('a b') @@ to_tsquery('a')
read only-15 | SELECT xmlelement(name a, xmlattributes(1 AS b)) IS NOT NULL
read | SELECT json_build_object('a', 1), jsonb_agg(id), string_agg(b, ',' ORDER BY id), array_agg(id) FROM t
read | SELECT json_object_agg(id, a) FROM t WHERE a IS NOT NULL
read only-15 | SELECT table_to_xml('t', true, false, '') IS NOT NULL
read | SELECT last_value FROM s
read | SELECT pg_sequence_last_value('s'::regclass)
read | SELECT * FROM pg_sequences
read | SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables
read | SELECT update_rule, delete_rule FROM information_schema.referential_constraints
read | SELECT merge_action FROM (SELECT 1 AS merge_action) x
read since-16 | SELECT any_value(a), array_shuffle(ARRAY[1,2]) FROM t
read since-18 | SELECT uuidv7(), uuidv4()
read since-18 | SELECT JSON_VALUE(j, '$.a'), JSON_QUERY(j, '$'), JSON_EXISTS(j, '$.a') FROM t
read since-18 | SELECT * FROM JSON_TABLE('[{"a":1}]', '$[*]' COLUMNS (i FOR ORDINALITY, a int PATH '$.a')) x
read only-15 | SELECT * FROM XMLTABLE('/a' PASSING '<a>1</a>' COLUMNS i FOR ORDINALITY, v text PATH '.') x
# --- show and explain -----------------------------------------------------------------------------------------------------
read | SHOW work_mem
read | SHOW ALL
read | SHOW search_path
read | SHOW TRANSACTION ISOLATION LEVEL
read | show timezone
read | SHOW TIME ZONE
read | EXPLAIN SELECT 1
read | EXPLAIN (COSTS off) SELECT * FROM t
read | EXPLAIN (SELECT 1)
read | EXPLAIN VERBOSE SELECT 1
read | EXPLAIN ANALYZE SELECT * FROM t
read | EXPLAIN ANALYZE VERBOSE SELECT * FROM t
read | EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT * FROM t
read | EXPLAIN (ANALYZE true, TIMING off) SELECT * FROM t
read | EXPLAIN WITH x AS (SELECT 1) SELECT * FROM x
read | EXPLAIN INSERT INTO t (id) VALUES (100)
read | EXPLAIN UPDATE t SET a = 1
read | EXPLAIN DELETE FROM t
read | EXPLAIN (ANALYZE off) DELETE FROM t
read | EXPLAIN (ANALYZE false, VERBOSE) UPDATE t SET a = 1
read | EXPLAIN (COSTS off) MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE
read | EXPLAIN VALUES (1)
read | EXPLAIN TABLE t
write | EXPLAIN ANALYZE DELETE FROM t
write | EXPLAIN ANALYSE DELETE FROM t
write | EXPLAIN (ANALYZE) UPDATE t SET a = 1
write | EXPLAIN (ANALYZE true) INSERT INTO t (id) VALUES (101)
write | EXPLAIN (COSTS off, ANALYZE 1) DELETE FROM t
write | EXPLAIN (ANALYZE on, COSTS off) DELETE FROM t
write | explain (analyze 'true') delete from t
write | EXPLAIN /* x */ ANALYZE -- y⏎ DELETE FROM t
write | EXPLAIN ANALYZE WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d
write | EXPLAIN ANALYZE SELECT * FROM t FOR UPDATE
write | EXPLAIN ANALYZE SELECT nextval('s')
write | EXPLAIN ANALYZE CREATE TABLE nt AS SELECT 1
write silent{what would be made is not made} | EXPLAIN CREATE TABLE nt AS SELECT 1
session after{PREPARE p AS SELECT 1} silent{needs a statement} | EXPLAIN EXECUTE p
session silent{a cursor that is not opened} | EXPLAIN DECLARE c CURSOR FOR SELECT 1
# --- locking reads ------------------------------------------------------------------------------------------------------
write | SELECT * FROM t FOR UPDATE
write | SELECT * FROM t FOR UPDATE;
write | select * from t for update
write | SELECT * FROM t FOR⏎UPDATE
write | SELECT * FROM t FOR  UPDATE -- x
write | SELECT * FROM t FOR /* c */ UPDATE
write | SELECT * FROM t FOR UPDATE NOWAIT
write | SELECT * FROM t FOR UPDATE SKIP LOCKED
write | SELECT * FROM t FOR UPDATE OF t
write | SELECT * FROM t FOR NO KEY UPDATE
write | SELECT * FROM t FOR SHARE
write | SELECT * FROM t FOR KEY SHARE
write | SELECT * FROM t FOR SHARE FOR UPDATE
write | SELECT * FROM t FOR UPDATE LIMIT 1
write error{PostgreSQL 14 read it as FOR UPDATE} | SELECT * FROM t LIMIT 1FOR UPDATE
write | (SELECT * FROM t FOR UPDATE)
write | (SELECT * FROM t) FOR UPDATE
write | SELECT * FROM (SELECT * FROM t FOR UPDATE) x
write | WITH x AS (SELECT * FROM t FOR UPDATE) SELECT * FROM x
write | TABLE t FOR UPDATE
write | SELECT (SELECT a FROM t LIMIT 1 FOR UPDATE)
write error{UNION cannot lock} | SELECT a FROM t UNION SELECT a FROM t FOR UPDATE
# --- data ------------------------------------------------------------------------------------------------------------------
write | INSERT INTO t (id) VALUES (200)
write | insert into t (id) values (200)
write | INSERT INTO t DEFAULT VALUES
write | INSERT INTO t (id, a) SELECT id + 500, a FROM t
write | INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO NOTHING
write | INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET a = excluded.a RETURNING *
write | INSERT INTO corpus.t AS x (id) VALUES (201)
write | /* read */ INSERT INTO t (id) VALUES (202)
write | -- SELECT⏎INSERT INTO t (id) VALUES (203)
write | UPDATE t SET a = 1
write | UPDATE ONLY t SET a = 1 WHERE id = 1
write | UPDATE t SET (a, b) = (1, 'x')
write | UPDATE t SET a = u.id FROM u WHERE u.id = t.id RETURNING t.*
write | DELETE FROM t
write | DELETE FROM t USING u WHERE u.id = t.id
write | DELETE FROM t WHERE false
write | MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT (id) VALUES (u.id)
write silent{nothing to do is nothing refused} | MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DO NOTHING
write | TRUNCATE t
write | TRUNCATE TABLE ONLY t RESTART IDENTITY CASCADE
write | WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d
write | WITH x AS (SELECT 1), d AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM d
write | WITH i AS (INSERT INTO t (id) VALUES (204) RETURNING id) SELECT * FROM i
write | WITH i AS MATERIALIZED (INSERT INTO t (id) VALUES (204) RETURNING id) TABLE i
write | WITH x AS (SELECT 1) INSERT INTO t (id) SELECT 205
write | WITH x AS (SELECT 1) UPDATE t SET a = 1
write | WITH x AS (SELECT 1) DELETE FROM t
write | WITH x AS (SELECT 1) MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE
write | WITH a AS (DELETE FROM t RETURNING id), b AS (DELETE FROM u RETURNING id) SELECT 1
write | with d as (/* c */ delete from t returning *) select 1
write | WITH a AS (WITH b AS (SELECT 1) DELETE FROM t RETURNING *) SELECT 1
write | SELECT * INTO nt FROM t
write | SELECT id INTO TABLE nt FROM t
write | SELECT id INTO UNLOGGED nt FROM t
write | SELECT 1 AS a INTO nt
write | WITH x AS (SELECT 1 AS a) SELECT a INTO nt FROM x
write | (SELECT 1 AS a INTO nt)
session | SELECT 1 AS a INTO TEMP nt
session | SELECT 1 AS a INTO TEMPORARY TABLE nt
session | SELECT 1 AS a INTO LOCAL TEMP nt
write | CREATE TABLE nt AS SELECT 1
write | CREATE TABLE nt AS TABLE t WITH NO DATA
write | REFRESH MATERIALIZED VIEW mv
write | COPY t FROM PROGRAM 'true'
write silent{a program writes, not the server} | COPY t TO PROGRAM 'cat >/dev/null'
write silent{a program writes, not the server} | COPY (SELECT 1) TO PROGRAM 'cat >/dev/null'
write silent{writes a file of the server} | COPY t TO '/dev/null'
write | COPY t FROM '/dev/null'
write noexec{the driver hangs on COPY by execute} | COPY t FROM STDIN
write noexec{the driver hangs on COPY by execute} | COPY t TO STDOUT
write noexec{the driver hangs on COPY by execute} | COPY (SELECT * FROM t) TO STDOUT WITH (FORMAT csv)
write noexec{the driver hangs on COPY by execute} | copy t (id, a) from stdin with (format csv)
# --- functions that write ---------------------------------------------------------------------------------------------
write | SELECT nextval('s')
write | SELECT NEXTVAL ('s')
write | SELECT pg_catalog.nextval('s')
write | SELECT pg_catalog . nextval /* x */ ('s')
write | SELECT "nextval"('s')
write | SELECT "pg_catalog"."nextval"('s')
write | SELECT pg_catalog."nextval"⏎('s')
write | SELECT a FROM t WHERE id = nextval('s')
write | SELECT * FROM nextval('s')
write | SELECT (SELECT nextval('s'))
write | VALUES (nextval('s'))
write | SELECT setval('s', 10)
write | SELECT setval('s', 10, true)
write | SELECT U&"\006eextval"('s')
write silent{a transaction-level lock is taken} | SELECT pg_advisory_xact_lock(1)
write silent{a transaction-level lock is taken} | SELECT pg_advisory_xact_lock_shared(1)
write silent{a transaction-level lock is taken} | SELECT pg_try_advisory_xact_lock(1)
write silent{a transaction-level lock is taken} | SELECT pg_try_advisory_xact_lock_shared(1, 2)
write | SELECT pg_notify('c', 'x')
write | SELECT txid_current()
write | SELECT pg_current_xact_id()
write | SELECT pg_current_wal_lsn()
write | SELECT pg_current_wal_insert_lsn()
write | SELECT pg_current_wal_flush_lsn()
write | SELECT pg_walfile_name('0/1000000')
write noexec{takes the log onwards} | SELECT pg_switch_wal()
write noexec{writes into the log} | SELECT pg_create_restore_point('x')
write noexec{begins a backup} | SELECT pg_backup_start('x')
write noexec{promotes the replica} | SELECT pg_promote()
write noexec{pauses the replica} | SELECT pg_wal_replay_pause()
write noexec{resumes the replica} | SELECT pg_wal_replay_resume()
write silent{signals another session of its server} | SELECT pg_terminate_backend(0)
write silent{signals another session of its server} | SELECT pg_cancel_backend(0)
write silent{acts on its server} | SELECT pg_reload_conf()
write silent{acts on its server} | SELECT pg_stat_reset()
write silent{acts on its server} | SELECT pg_stat_reset_single_table_counters('t'::regclass)
write silent{acts on its server} | SELECT pg_stat_reset_shared('bgwriter')
write silent{acts on its server} | SELECT pg_log_backend_memory_contexts(pg_backend_pid())
write silent{the replica's snapshot is not the primary's} | SELECT pg_export_snapshot()
write noexec{makes a slot} | SELECT pg_create_physical_replication_slot('x')
write noexec{makes a slot} | SELECT pg_create_logical_replication_slot('x', 'test_decoding')
write noexec{drops a slot} | SELECT pg_drop_replication_slot('x')
write | SELECT pg_logical_emit_message(true, 'a', 'b')
write | SELECT pg_replication_origin_create('x')
write | SELECT lo_create(0)
write | SELECT lo_creat(1)
write | SELECT lo_from_bytea(0, 'a')
write | SELECT lo_put(4242, 0, 'a')
write | SELECT lo_unlink(4242)
write silent{large objects may be opened for writing} | SELECT lo_get(4242)
write silent{large objects may be opened for writing} | SELECT lo_open(4242, 262144)
write only-15 silent{runs text that is not seen} | SELECT query_to_xml('SELECT 1', true, false, '')
write error{only reads may stand in it} | SELECT query_to_xml('DELETE FROM t', true, false, '')
write silent{runs text that is not seen} | SELECT * FROM ts_stat('SELECT to_tsvector(''a'')')
write noexec{needs an extension} | SELECT * FROM dblink('dbname=x', 'DELETE FROM t') AS x(a int)
write noexec{needs an extension} | SELECT dblink_exec('DELETE FROM t')
session noexec{needs an extension} | SELECT dblink_connect('x')
write silent{only the setting of this transaction} | SELECT set_config('work_mem', '8MB', true)
session silent{changes a setting of the session} | SELECT set_config('work_mem', '8MB', false)
session silent{changes a setting of the session} | SELECT pg_catalog.set_config('work_mem', '8MB', 'f')
session silent{changes a setting of the session} | SELECT set_config(name, setting, false) FROM pg_settings WHERE name = 'work_mem'
session silent{changes the access mode} | SELECT set_config('default_transaction_read_only', 'off', false)
session after{SELECT 1} error{nothing was drawn in this session} | SELECT currval('s')
session error{nothing was drawn in this session} | SELECT lastval()
session silent{the session's generator} | SELECT setseed(0.5)
session silent{the lock outlives the statement} | SELECT pg_advisory_lock(1)
session silent{the lock outlives the statement} | SELECT PG_ADVISORY_LOCK(1, 2)
session silent{the lock outlives the statement} | SELECT pg_try_advisory_lock(1)
session silent{the lock outlives the statement} | SELECT pg_advisory_lock_shared(1)
session silent{the lock outlives the statement} | SELECT pg_try_advisory_lock_shared(1)
session silent{unlocks what the session holds} | SELECT pg_advisory_unlock(1)
session silent{unlocks what the session holds} | SELECT pg_advisory_unlock_all()
session silent{the lock outlives the statement} | SELECT id FROM t WHERE pg_try_advisory_lock(id)
session silent{the lock outlives the statement} | SELECT "pg_catalog"."pg_advisory_lock"(1)
session only-15 after{BEGIN; DECLARE c CURSOR FOR SELECT 1} silent{needs a cursor} | SELECT cursor_to_xml('c', 1, true, false, '')
# --- functions that are not known: reads by their text, the server refuses those that write (Safety 3) ---------------------
read unknown{writes} | SELECT f_write()
read unknown{writes} | SELECT corpus.f_write()
read unknown{writes} | SELECT * FROM v_write
read unknown{writes} | SELECT "f_write"()
# --- schema --------------------------------------------------------------------------------------------------------------
write | CREATE TABLE nt (id int)
write | CREATE UNLOGGED TABLE nt (id int)
write | CREATE TABLE IF NOT EXISTS t (id int)
write | CREATE TABLE nt (LIKE t INCLUDING ALL)
write | CREATE TABLE temp (id int)
session | CREATE TEMP TABLE nt (id int)
session | CREATE TEMPORARY TABLE nt (id int)
session | CREATE LOCAL TEMPORARY TABLE nt (id int)
session | create global temp table nt (id int)
session | CREATE TEMP TABLE nt AS SELECT 1
session | CREATE TABLE pg_temp.nt (id int)
session | CREATE TEMP VIEW nv AS SELECT 1
session after{PREPARE p AS SELECT 1 AS a} | CREATE TABLE nt AS EXECUTE p
session error{there is no such table} | SELECT * FROM pg_temp.nt
session error{there is no such table} | SELECT * FROM "pg_temp".nt
session after{BEGIN; DECLARE c CURSOR FOR SELECT * FROM t} error{not positioned on a row} | UPDATE t SET a = 1 WHERE CURRENT OF c
session | CREATE OR REPLACE TEMP VIEW nv AS SELECT 1
session | CREATE TEMP SEQUENCE ns
write | CREATE INDEX ON t (a)
write autocommit noexec{leaves an index behind} | CREATE INDEX CONCURRENTLY x ON t (a)
write | CREATE UNIQUE INDEX IF NOT EXISTS x ON t (a)
write | CREATE VIEW nv AS SELECT 1
write | CREATE OR REPLACE VIEW nv AS SELECT nextval('s')
write | CREATE MATERIALIZED VIEW nmv AS SELECT 1
write | CREATE SEQUENCE ns
write | CREATE SCHEMA ns
write | CREATE TYPE nt AS ENUM ('a')
write | CREATE DOMAIN nd AS int CHECK (VALUE > 0)
write | CREATE FUNCTION nf() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT 2'
write | CREATE FUNCTION nf() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END
write | CREATE OR REPLACE PROCEDURE np() LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('a.b', '1', false); DELETE FROM t; END $$
write | CREATE RULE r AS ON INSERT TO u DO ALSO (SELECT 1; DELETE FROM t)
write | CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f_trigger()
write | CREATE ROLE corpus_role
write autocommit noexec{makes a database} | CREATE DATABASE corpus_db
write noexec{needs an extension} | CREATE EXTENSION dblink
write | CREATE POLICY po ON t USING (true)
write | CREATE STATISTICS st ON id, a FROM t
write | CREATE PUBLICATION pu FOR TABLE t
write | CREATE CAST (text AS int4) WITH INOUT
write | CREATE AGGREGATE ag (int) (SFUNC = int4pl, STYPE = int)
write | ALTER TABLE t ADD COLUMN c int
write | ALTER TABLE t RENAME TO t2
write | ALTER SEQUENCE s RESTART
write | ALTER ROLE app SET work_mem = '8MB'
write | ALTER DATABASE app SET work_mem = '8MB'
write autocommit noexec{changes the server's configuration} | ALTER SYSTEM SET work_mem = '8MB'
write | ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC
write | DROP TABLE t CASCADE
write | DROP TABLE IF EXISTS nothing
write | DROP FUNCTION f_read()
write | DROP INDEX IF EXISTS nothing
write | DROP OWNED BY app
write | COMMENT ON TABLE t IS 'x'
write | GRANT SELECT ON t TO PUBLIC
write | REVOKE SELECT ON t FROM PUBLIC
write | REASSIGN OWNED BY app TO app
write error{no label provider is loaded} | SECURITY LABEL ON TABLE t IS 'x'
write error{no such server} | IMPORT FOREIGN SCHEMA x FROM SERVER y INTO z
# --- running code -------------------------------------------------------------------------------------------------------
write | CALL p_write()
write silent{what a procedure does is not seen} | CALL p_read()
write silent{what a block does is not seen} | DO $$ BEGIN PERFORM 1; END $$
write | DO $$ BEGIN DELETE FROM t; END $$
write silent{what a block does is not seen} | DO LANGUAGE plpgsql 'BEGIN PERFORM 1; END'
# --- maintenance --------------------------------------------------------------------------------------------------------
write autocommit | VACUUM
write autocommit | VACUUM t
write autocommit | VACUUM (ANALYZE) t
write | ANALYZE
write | ANALYZE t
write | ANALYSE t
write | REINDEX TABLE t
write autocommit | REINDEX (CONCURRENTLY) TABLE t
write | CLUSTER t USING t_pkey
write silent{a restart point on its server} | CHECKPOINT
write | LOCK TABLE t
write | LOCK t IN ACCESS EXCLUSIVE MODE
write after{BEGIN} silent{this mode is for readers} | LOCK TABLE t IN ACCESS SHARE MODE
write | NOTIFY c
write | NOTIFY c, 'payload'
# --- session -------------------------------------------------------------------------------------------------------------
session silent{changes a setting of the session} | SET work_mem = '8MB'
session silent{changes a setting of the session} | set search_path to public
session silent{changes a setting of the session} | SET SESSION work_mem = '8MB'
session silent{changes a setting of the session} | SET TIME ZONE 'UTC'
session silent{changes a setting of the session} | SET NAMES 'UTF8'
session silent{changes the session's user} | SET ROLE app
session silent{changes the session's user} | SET SESSION AUTHORIZATION app
session silent{changes the access mode} | SET default_transaction_read_only = off
session silent{changes the access mode} | SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE
session silent{changes the access mode} | SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ
session | SET transaction_read_only = off
write silent{only for this transaction} | SET LOCAL work_mem = '8MB'
write silent{only for this transaction} | set local search_path = public
write silent{only for this transaction} | SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
write after{BEGIN} | SET TRANSACTION READ WRITE
write silent{only for this transaction} | SET CONSTRAINTS ALL DEFERRED
session silent{changes a setting of the session} | RESET work_mem
session silent{changes a setting of the session} | RESET ALL
session silent{changes the session's user} | RESET ROLE
session silent{changes the session's user} | RESET SESSION AUTHORIZATION
session autocommit silent{empties the session} | DISCARD ALL
session silent{empties the session} | DISCARD PLANS
session silent{empties the session} | DISCARD TEMP
session silent{keeps a statement} | PREPARE p AS SELECT 1
session silent{keeps a statement} | PREPARE p (int) AS SELECT $1
session after{PREPARE p AS SELECT 1} silent{needs a statement} | EXECUTE p
session after{PREPARE p AS DELETE FROM t} | EXECUTE p
session after{PREPARE p (int) AS SELECT $1} silent{needs a statement} | EXECUTE p(1)
session after{PREPARE p AS SELECT 1} silent{forgets a statement} | DEALLOCATE p
session silent{forgets statements} | DEALLOCATE ALL
session after{BEGIN} silent{keeps a cursor} | DECLARE c CURSOR FOR SELECT * FROM t
session silent{keeps a cursor} | DECLARE c CURSOR WITH HOLD FOR SELECT * FROM t
session after{BEGIN; DECLARE c CURSOR FOR SELECT 1} silent{needs a cursor} | FETCH c
session after{BEGIN; DECLARE c CURSOR FOR SELECT 1} silent{needs a cursor} | FETCH ALL FROM c
session after{BEGIN; DECLARE c CURSOR FOR SELECT 1} silent{needs a cursor} | MOVE NEXT FROM c
session after{BEGIN; DECLARE c CURSOR FOR SELECT 1} silent{needs a cursor} | CLOSE c
session silent{closes cursors} | CLOSE ALL
session | LISTEN c
session silent{of the session} | UNLISTEN *
session silent{brings code into the session} | LOAD 'plpgsql'
# --- transactions --------------------------------------------------------------------------------------------------------
control silent{opens a transaction} | BEGIN
control silent{opens a transaction} | begin work
control silent{opens a transaction} | BEGIN ISOLATION LEVEL REPEATABLE READ
control silent{opens a transaction} | BEGIN READ ONLY
control | BEGIN READ WRITE
control silent{opens a transaction} | START TRANSACTION
control silent{opens a transaction} | /* x */ START TRANSACTION READ ONLY
control after{BEGIN} silent{ends a transaction} | COMMIT
control after{BEGIN} silent{ends a transaction} | COMMIT AND CHAIN
control after{BEGIN} silent{ends a transaction} | END
control after{BEGIN} silent{ends a transaction} | ROLLBACK
control after{BEGIN} silent{ends a transaction} | ABORT
control after{BEGIN} silent{keeps a savepoint} | SAVEPOINT a
control after{BEGIN; SAVEPOINT a} silent{keeps a savepoint} | ROLLBACK TO SAVEPOINT a
control after{BEGIN; SAVEPOINT a} silent{keeps a savepoint} | RELEASE SAVEPOINT a
control noexec{leaves a prepared transaction behind} | PREPARE TRANSACTION 'x'
control noexec{needs a prepared transaction} | COMMIT PREPARED 'x'
control noexec{needs a prepared transaction} | ROLLBACK PREPARED 'x'
# --- several statements ---------------------------------------------------------------------------------------------------
read | SELECT 1; SELECT 2
read | SELECT 1; ; SELECT 2;
write | SELECT 1; DELETE FROM t
write | DELETE FROM t; SELECT 1
write | SELECT 1;DELETE FROM t;
write | SELECT 1 /* ; */ ; DELETE FROM t
write | SELECT 1; WITH d AS (DELETE FROM t RETURNING *) SELECT 1
write | SELECT 1; SELECT 2; SELECT * FROM t FOR UPDATE
session silent{changes a setting of the session} | SELECT 1; SET work_mem = '8MB'
control silent{opens a transaction} | SELECT 1; BEGIN
control | BEGIN READ WRITE; DELETE FROM t; ROLLBACK
# --- texts that can be read in more than one way, or not at all ---------------------------------------------------------------
write error{with standard_conforming_strings the second quote opens a string} | SELECT 'a\'b'
write silent{read as on, it is harmless; read as off, it deletes} | SELECT 'a\', '; DELETE FROM t; --'
write error{with standard_conforming_strings on it deletes from nothing} | SELECT 'a\'; DELETE FROM nothing; --'
write error{unterminated} | SELECT 'abc
write error{unterminated} | SELECT "abc
write error{unterminated} | SELECT $$abc
write error{unterminated} | SELECT $a$abc$b$
write error{unterminated} | SELECT 1 /* abc
write error{unterminated} | SELECT 1 /* /* abc */
write error{unterminated} | SELECT E'abc\'
write error{no statement} | FROBNICATE t
write error{no statement} | SELEC 1
write error{no statement} | 1
write error{no statement} | 'SELECT 1'
write error{no statement} | "select" 1
write error{a word too many} | INSERT
write error{psql only} | \d t
write error{not PostgreSQL} | REPLACE INTO t VALUES (1)
write error{not PostgreSQL} | HANDLER t OPEN
write error{not PostgreSQL} | USE corpus
write error{not PostgreSQL} | DESCRIBE t
write error{backticks are no quotes here} | SELECT `a`; DELETE FROM t
write error{no comment here} | SELECT 1 # x⏎; DELETE FROM t
write noexec{nothing to run, and the driver fails over it} | -- nothing
write noexec{nothing to run, and the driver fails over it} | /* nothing */
write noexec{nothing to run, and the driver fails over it} | ;
