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
# --- SELECT, clause by clause ------------------------------------------------------------------------------------------------
read | SELECT ALL a FROM t
read | SELECT DISTINCT a, b FROM t
read | SELECT DISTINCT ON (a, b) * FROM t ORDER BY a, b, id DESC
read | SELECT a AS x, b y, id "z" FROM t
read | SELECT t.*, u.* FROM t, u
read | SELECT FROM t
read | SELECT count(*) FROM t
read | SELECT count(DISTINCT (a, b)) FROM t
read | SELECT a FROM ONLY t
read | SELECT a FROM t *
read | SELECT x.i FROM t x (i)
read | SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS x (n, s)
read | SELECT * FROM (TABLE t) x
read | SELECT * FROM (SELECT 1 UNION SELECT 2) AS x (n) WHERE n > 1
read since-16 | SELECT * FROM (SELECT 1)
read | SELECT * FROM t INNER JOIN u ON t.id = u.id
read | SELECT * FROM t RIGHT OUTER JOIN u ON t.id = u.id
read | SELECT * FROM t FULL OUTER JOIN u ON t.id = u.id
read | SELECT * FROM t CROSS JOIN u
read | SELECT * FROM t NATURAL LEFT JOIN u
read | SELECT * FROM t JOIN u USING (id) AS k WHERE k.id = 1
read | SELECT * FROM (t JOIN u USING (id)) AS x
read | SELECT * FROM (t CROSS JOIN u) LEFT JOIN t t2 ON t2.id = u.id
read | SELECT * FROM t LEFT JOIN LATERAL (SELECT * FROM u WHERE u.id = t.id LIMIT 1) l ON true
read | SELECT * FROM t, LATERAL jsonb_each(t.j) AS e (k, v)
read | SELECT * FROM t, jsonb_array_elements_text('[1, 2]') WITH ORDINALITY AS e (v, n)
read | SELECT * FROM LATERAL generate_series(1, 2) g
read | SELECT * FROM ROWS FROM (jsonb_to_recordset('[{"a": 1}]') AS (a int), generate_series(1, 2)) AS x (a, n)
read | SELECT * FROM jsonb_to_record('{"a": 1, "b": [1, 2]}') AS x (a int, b int[])
read | SELECT * FROM unnest(ARRAY[[1, 2], [3, 4]]) WITH ORDINALITY
read | SELECT * FROM regexp_split_to_table('a b', ' ') AS w
read | SELECT * FROM t TABLESAMPLE SYSTEM (10)
read | SELECT * FROM t WHERE a IS NULL OR a IS NOT NULL
read | SELECT * FROM t WHERE a ISNULL OR b NOTNULL
read | SELECT * FROM t WHERE (a = 1) IS TRUE OR (a = 2) IS NOT UNKNOWN
read | SELECT * FROM t WHERE a IS DISTINCT FROM 1 AND b IS NOT DISTINCT FROM 'x'
read | SELECT * FROM t WHERE a BETWEEN 1 AND 2 AND id NOT BETWEEN SYMMETRIC 9 AND 5
read | SELECT * FROM t WHERE b LIKE 'a%' AND b NOT ILIKE 'A_' ESCAPE '#'
read | SELECT * FROM t WHERE b SIMILAR TO '(a|b)%' OR b ~ '^a' OR b ~* 'A' OR b !~* 'z'
read | SELECT * FROM t WHERE a = ANY ('{1,2}') AND a <> ALL (SELECT id FROM u)
read | SELECT * FROM t WHERE a > SOME (VALUES (1), (2))
read | SELECT * FROM t WHERE (a, b) = (1, 'x') OR ROW (a, id) < ROW (1, 2)
read | SELECT * FROM t WHERE NOT EXISTS (SELECT FROM u WHERE u.id = t.id)
read | SELECT * FROM t WHERE id = (SELECT max(id) FROM u)
read | SELECT * FROM t WHERE b COLLATE "C" > 'a'
read error{a is no text} | SELECT a FROM t ORDER BY a COLLATE "C"
read | SELECT a FROM t ORDER BY b COLLATE "C" DESC NULLS FIRST, 1
read | SELECT a FROM t ORDER BY id LIMIT ALL OFFSET 0
read | SELECT a FROM t LIMIT (SELECT 1) OFFSET 1 + 1
read | SELECT a FROM t OFFSET 1 ROWS FETCH FIRST ROW ONLY
read | SELECT a, b, count(*) FROM t GROUP BY CUBE (a, b)
read | SELECT a, b, grouping(a, b) FROM t GROUP BY ROLLUP (a), CUBE (b)
read | SELECT a FROM t GROUP BY DISTINCT ROLLUP (a), ROLLUP (a)
read | SELECT a, count(*) FROM t GROUP BY ALL ROLLUP (a)
read | SELECT 1 FROM t GROUP BY ()
read | SELECT sum(a) FROM t HAVING sum(a) > 0
read | SELECT a FROM t UNION DISTINCT SELECT id FROM u
read | SELECT a FROM t EXCEPT ALL SELECT id FROM u
read | SELECT a FROM t INTERSECT ALL (SELECT id FROM u ORDER BY id LIMIT 1)
read | (SELECT 1) UNION ALL (VALUES (2)) UNION ALL (TABLE u) ORDER BY 1
read | SELECT 1 WHERE 2 > 1
read | VALUES (1, NULL, 'x'), (2, now(), 'y') FETCH FIRST 1 ROW ONLY
read | VALUES ((SELECT max(id) FROM t), ARRAY[1, 2])
read | TABLE ONLY (t)
read | TABLE pg_catalog.pg_class LIMIT 1
# --- common table expressions ------------------------------------------------------------------------------------------------
read | WITH RECURSIVE tree AS (SELECT id, a, 1 AS depth FROM t WHERE a = 1 UNION ALL SELECT t.id, t.a, depth + 1 FROM t JOIN tree ON t.a = tree.id WHERE depth < 3) SELECT * FROM tree
read | WITH RECURSIVE w (id, a) AS (SELECT id, a FROM t UNION ALL SELECT t.id, t.a FROM t, w WHERE t.a = w.id) SEARCH BREADTH FIRST BY id SET o CYCLE id SET is_cycle USING path SELECT * FROM w
read | WITH RECURSIVE w (id, a) AS (SELECT id, a FROM t UNION ALL SELECT t.id, t.a FROM t, w WHERE t.a = w.id) CYCLE id SET is_cycle TO 'y' DEFAULT 'n' USING path TABLE w
read | WITH x AS (SELECT a FROM t), y AS (SELECT a FROM x) SELECT (SELECT count(*) FROM x), (SELECT count(*) FROM y)
read | WITH x AS (SELECT 1 AS "insert") SELECT "insert" FROM x
read | WITH updates AS (SELECT 1 AS deleted) SELECT deleted FROM updates
read | WITH x AS (TABLE t) SELECT * FROM x
read | WITH x (n) AS (VALUES (1), (2)) SELECT sum(n) FROM x
read | WITH x AS ((SELECT 1) UNION (SELECT 2)) SELECT * FROM x
read | WITH x AS (SELECT * FROM f_rows()) SELECT * FROM x
read | WITH x AS (SELECT 1 AS n) (SELECT n FROM x) UNION ALL (SELECT n + 1 FROM x) ORDER BY 1
read | SELECT (WITH x AS (SELECT 1 AS n) SELECT n FROM x)
read | SELECT * FROM t WHERE id IN (WITH x AS (SELECT 1 AS n) SELECT n FROM x)
write | WITH x AS (SELECT id FROM t), d AS (DELETE FROM u USING x WHERE u.id = x.id RETURNING u.id) SELECT count(*) FROM d
write | WITH "select" AS (DELETE FROM u RETURNING *) SELECT * FROM "select"
write since-18 | WITH m AS (MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = 2 RETURNING merge_action(), t.id) SELECT * FROM m
write | WITH up AS (UPDATE t SET a = a + 1 WHERE id = 1 RETURNING id) INSERT INTO u SELECT id + 700 FROM up
write | WITH moved AS (DELETE FROM u RETURNING id) INSERT INTO u SELECT id + 800 FROM moved
write | WITH x AS (SELECT 1 AS id) SELECT * FROM t JOIN x USING (id) FOR UPDATE OF t
write | WITH x AS (SELECT nextval('s') AS n) SELECT * FROM x
write | WITH x AS (SELECT 1) , y AS MATERIALIZED ( INSERT INTO u VALUES (77) RETURNING id ) SELECT 1
write | WITH x AS (SELECT 1) TABLE u FOR SHARE
write error{only at the top} | SELECT * FROM (WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d) x
write error{only at the top} | SELECT (WITH d AS (DELETE FROM u RETURNING id) SELECT id FROM d)
# --- window functions and aggregates -----------------------------------------------------------------------------------------
read | SELECT rank() OVER w, dense_rank() OVER w, percent_rank() OVER w, cume_dist() OVER w FROM t WINDOW w AS (PARTITION BY a ORDER BY id)
read | SELECT lag(a) OVER (ORDER BY id), lead(a, 2, 0) OVER (ORDER BY id), first_value(a) OVER (ORDER BY id), nth_value(a, 2) OVER (ORDER BY id) FROM t
read | SELECT ntile(4) OVER (ORDER BY a DESC NULLS LAST), last_value(id) OVER (ORDER BY id RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM t
read | SELECT sum(a) OVER (ORDER BY id GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM t
read | SELECT sum(a) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING EXCLUDE TIES) FROM t
read | SELECT sum(a) OVER (w ROWS 2 PRECEDING) FROM t WINDOW w AS (ORDER BY id), w2 AS (w)
read | SELECT count(*) FILTER (WHERE a > 1), sum(DISTINCT a), array_agg(b ORDER BY id DESC) FROM t
read | SELECT string_agg(DISTINCT b, ', ' ORDER BY b), bool_and(a > 0), every(a > 0), bit_or(a), stddev_samp(a), corr(a, id) FROM t
read | SELECT mode() WITHIN GROUP (ORDER BY a), percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY a), rank(1) WITHIN GROUP (ORDER BY a) FROM t
read | SELECT json_agg(t), jsonb_object_agg(id, b), json_object_agg(id, b) FILTER (WHERE b IS NOT NULL), range_agg(int4range(id, id + 1)) FROM t
read | SELECT regr_slope(a, id), var_pop(a), covar_samp(a, id), bit_and(a), max(b), min(b) FROM t
# --- expressions -------------------------------------------------------------------------------------------------------------
read | SELECT CASE a WHEN 1 THEN 'one' WHEN 2 THEN 'two' END, CASE WHEN a > 1 THEN (CASE WHEN a > 2 THEN 1 END) ELSE 0 END FROM t
read | SELECT a + 1, a - 1, a * 2, a / 2, a % 2, a ^ 2, |/ 4.0, ||/ 8.0, @ -1, a & 1, a | 2, a # 3, ~ a, a << 1, a >> 1 FROM t
read | SELECT b || 'x', b || NULL, 'a' || 1 FROM t
read | SELECT ARRAY[1, 2] || 3, ARRAY[1] @> ARRAY[1], ARRAY[1] <@ ARRAY[1, 2], ARRAY[1] && ARRAY[2], (ARRAY[1, 2, 3])[2:], ('{{1,2},{3,4}}'::int[])[1][2]
read | SELECT ARRAY(SELECT id FROM t ORDER BY id), array_length(ARRAY[1, 2], 1), cardinality('{}'::int[]), array_position(ARRAY['a'], 'a')
read | SELECT ROW(1, 'a'), (ROW(1, 'a')).f1, (t).b, (t.*)::text FROM t
read | SELECT operator_test.x FROM (SELECT 1 OPERATOR(pg_catalog.+) 2 AS x) operator_test
read | SELECT 1::int::text::varchar(3), '1'::pg_catalog.int4, int '1', float8 '1.5', numeric(5, 2) '1.25'
read | SELECT '2020-01-01'::timestamp with time zone, timestamp with time zone '2020-01-01 00:00+00', time without time zone '10:00', interval '1' year, interval '1 day 02:03' day to minute
read | SELECT date '2020-01-31' + interval '1 month', age(now()), now() - '1 day'::interval, (now(), now()) OVERLAPS (now(), interval '1 hour')
read | SELECT now() AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin', timezone('UTC', now()), extract(epoch FROM now()), date_part('dow', now()), date_trunc('hour', now(), 'UTC')
read since-18 | SELECT now() AT LOCAL
read | SELECT to_char(1234.5, 'FM9,999.00'), to_date('2020', 'YYYY'), to_timestamp(0), make_date(2020, 1, 1), make_interval(days => 1), justify_hours('30 hours')
read | SELECT j -> 'a' ->> 'b', j #>> '{a,0}', j - 'a', j #- '{a}', j || '{"c": 1}', j @> '{}', '{}' <@ j, j ? 'a' FROM t
read | SELECT j['a'], j['a']['b'] FROM t
read | SELECT jsonb_path_query_array(j, '$.a[*] ? (@ > 1)'), jsonb_set(j, '{a}', '2'), jsonb_insert(j, '{z}', '1'), jsonb_strip_nulls(j), jsonb_pretty(j), jsonb_typeof(j -> 'a') FROM t
read since-16 | SELECT JSON_ARRAY(1, 'a' NULL ON NULL RETURNING jsonb), JSON_OBJECT('a' : 1, 'b' VALUE 2 ABSENT ON NULL WITH UNIQUE KEYS), JSON_ARRAYAGG(id ORDER BY id), JSON_OBJECTAGG(id : b) FROM t
read since-16 | SELECT j IS JSON, '{}' IS JSON OBJECT, '[' IS NOT JSON ARRAY, '{"a": 1}' IS JSON WITH UNIQUE KEYS FROM t
read since-18 | SELECT jt.* FROM t, JSON_TABLE(j, '$' COLUMNS (id FOR ORDINALITY, a int PATH '$.a' DEFAULT 0 ON EMPTY, NESTED PATH '$.b[*]' COLUMNS (c text PATH '$'))) AS jt
read since-18 | SELECT JSON('{}'), JSON_SCALAR(1), JSON_SERIALIZE('{}' RETURNING text)
read | SELECT substring('foobar' SIMILAR 'f#"o_b#"%' ESCAPE '#'), substring('abc' from '^.'), overlay('abc' PLACING 'x' FROM 2), trim(LEADING FROM ' a'), btrim('xax', 'x'), 'abc' ^@ 'a'
read | SELECT position('a' IN 'cab'), strpos('cab', 'a'), split_part('a,b', ',', 2), regexp_replace('a', '.', 'b', 'g'), regexp_matches('a', 'a'), translate('a', 'a', 'b'), format('%I %L %s %%', 'a', 'b', 1)
read | SELECT encode('a', 'hex'), decode('61', 'hex'), '\x61'::bytea, sha256('a'), md5('a'), convert_from('a', 'UTF8'), get_byte('a', 0), bit_length('a'), octet_length('a')
read | SELECT int4range(1, 5) @> 3, int4range(1, 5) * int4range(3, 8), '[1,2)'::int4range -|- '[2,3)', lower(int8range(1, 2)), isempty('empty'::numrange), '{[1,2),[3,4)}'::int4multirange
read error{no such operator} | SELECT path '((0,0),(1,1))' ## point(1, 1)
read | SELECT inet '10.0.0.1' << inet '10.0.0.0/8', host('10.0.0.1/8'), masklen('10.0.0.0/8'), macaddr '08:00:2b:01:02:03', set_masklen('10.0.0.1'::cidr, 32)
read | SELECT to_tsvector('english', 'a fat cat') @@ to_tsquery('fat & cat'), ts_rank(to_tsvector('a'), to_tsquery('a')), ts_headline('a b', to_tsquery('a')), plainto_tsquery('a b'), websearch_to_tsquery('"a b" -c'), 'a:1'::tsvector || 'b:2', setweight('a:1'::tsvector, 'A')
read | SELECT uuid '00000000-0000-0000-0000-000000000000', gen_random_uuid(), B'101' & B'111', x'ff'::bit(8), 'a'::"char", 1::oid, 'pg_class'::regclass, 't'::regclass::oid
read | SELECT num_nulls(1, NULL), width_bucket(5, 0, 10, 5), ceil(1.5), floor(1.5), round(1.55, 1), trunc(1.5), sign(-1), sqrt(4), power(2, 3), ln(1), log(10), exp(1), degrees(1), radians(1), sin(0), gcd(4, 6), lcm(4, 6), factorial(5)
read | SELECT coalesce(NULL, a, (SELECT 1)), nullif(a, 1), greatest(1, 2, a), least(VARIADIC_TEST) FROM (SELECT 1 AS a, 2 AS VARIADIC_TEST) x
read | SELECT format('%s', VARIADIC ARRAY['a', 'b']), concat_ws(',', VARIADIC ARRAY['a']), json_build_array(VARIADIC ARRAY[1, 2])
read error{no names for its arguments} | SELECT substr(string => 'abc', start => 1)
read | SELECT CURRENT_DATE, CURRENT_TIME(0), CURRENT_TIMESTAMP(3), LOCALTIME(0), LOCALTIMESTAMP, CURRENT_ROLE, CURRENT_CATALOG, CURRENT_SCHEMA, USER, SESSION_USER
read since-16 | SELECT SYSTEM_USER, 0x1F, 0o17, 0b11, 1_000_000
read error{no continuation on one line} | SELECT 'a' 'b'
read | SELECT 'a'⏎'b'
read | SELECT 'a' -- c⏎'b; DELETE FROM t'
read error-18{not in this version} error-16{not in this version} | SELECT xmlcomment('a'), xpath_exists('/a', '<a/>')
read only-15 | SELECT xpath('/a/text()', '<a>1</a>'), xmlparse(DOCUMENT '<a/>'), xmlserialize(CONTENT '<a/>'::xml AS text), xmlforest(1 AS a, 'x' AS b), xmlpi(name php), xmlroot(xml '<a/>', VERSION '1.0'), '<a/>' IS DOCUMENT
read only-15 | SELECT xmlagg(xmlelement(name r, b) ORDER BY id), xmlexists('/a' PASSING '<a/>') FROM t
# --- lexical traps -----------------------------------------------------------------------------------------------------------
read | SELECT/**/a/**/FROM/**/t
read | SELECT(1)
read | SELECT+1
read | SELECT'x'
read | SELECT"id"FROM"t"
read | SELECT.5
read | SELECT*FROM t
read | SELECT-1
read | SELECT- -1
read | SELECT a FROM t WHERE id=1--FOR UPDATE
read | SELECT a FROM t WHERE id=1/*FOR UPDATE*/
read | SELECT a-b FROM (SELECT 2 AS a, 1 AS b) x
read | SELECT 5 - --⏎-3
read | SELECT 1 /* -- */ + 1
read | SELECT 1 -- /*⏎ + 1 -- */
read | SELECT 1 /* ' */ + 1 /* " */ + 1 /* $$ */
read | SELECT 1 -- ' " $$ /*
read | SELECT '/*', 1, '*/', '--', $q$ ' /* $q$
read | SELECT "a/*" FROM (SELECT 1 AS "a/*") x
read | SELECT "a--b", "a;b", "a'b", "a$$b" FROM (SELECT 1 AS "a--b", 2 AS "a;b", 3 AS "a'b", 4 AS "a$$b") x
read | SELECT """" FROM (SELECT 1 AS """") x
read | SELECT $a$b$c$d$a$
read | SELECT $$a$b$c$$, $_$ x $_$, $A1$ $a1$ $A1$
read | SELECT $é$ ; DELETE FROM t $é$
read | SELECT a$b FROM (SELECT 1 AS a$b) x
read | SELECT a$$ FROM (SELECT 1 AS a$$) x
read | SELECT a$b$c FROM (SELECT 1 AS a$b$c) x
read | SELECT été, "ÉTÉ" FROM (SELECT 1 AS été, 2 AS "ÉTÉ") x
read | SELECT 'FOR'⏎' UPDATE'
read | SELECT E'\\' , 'x'
read | SELECT E'\'; DELETE FROM t; --'
read | SELECT e'\x41\u0041\101\b\f\n\r\t'
read | SELECT E'a''b\\\'c'
read | SELECT '\\'
read | SELECT '\a', '\\n', 'a\b\c'
read | SELECT U&'\0441\043B\043E\043D', U&'d!0061t!+000061' UESCAPE '!'
read | SELECT N'national', n'lower', B'', b'1', X'', x'aF'
read | SELECT 1. + .5 + 1.e3 + 1E-2
read | SELECT 1 WHERE 1<2 AND 2>1 AND 1<>2 AND 1!=2 AND 1<=2 AND 2>=1
read | SELECT 1 <> ALL (ARRAY[2])
read | SELECT id FROM t ORDER BY id DESC, a ASC;;
read | ;;;SELECT 1;;;
read | SELECT 1;-- done
read | SELECT 1;/* done */
read | SELECT␉a␉FROM␉t
read | select⏎⏎a⏎from⏎t
read | /* one */ /* two */ -- three⏎ /* four */ SELECT /* five */ 1 -- six
read | /*/**/*/SELECT 1
read | /*/*/**/*/*/ SELECT 1
read | --⏎--⏎SELECT 1
read | /*+ SeqScan(t) */ SELECT * FROM t
read | SELECT /*+ IndexScan(t) */ * FROM t
read | /* traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',route='%2Fpolls' */ SELECT 1
read | SELECT 1 /*action='run+this',controller='x',framework='rails%3A7'*/
read | SELECT x.update, x.delete, x.merge FROM (SELECT 1 AS update, 2 AS delete, 3 AS merge) x
read | SELECT nextval, setval FROM (SELECT 1 AS nextval, 2 AS setval) x
read | SELECT x.nextval FROM (SELECT 1 AS nextval) x
read | SELECT share, lock, key, no FROM (SELECT 1 AS share, 2 AS lock, 3 AS key, 4 AS no) x
read | SELECT 1 AS for_update, 2 AS "for update", 3 AS into_x
read | SELECT temp, temporary, begin, commit FROM (SELECT 1 AS temp, 2 AS temporary, 3 AS begin, 4 AS commit) x
read | SELECT set_config FROM (SELECT 1 AS set_config) x
read | SELECT pg_advisory_lock.x FROM (SELECT 1 AS x) AS pg_advisory_lock
read | SELECT 1 AS current, 2 AS explain, 3 AS call, 4 AS "do"
read | SELECT count(*) AS "count(*) FOR UPDATE" FROM t
# --- what looks odd, and what is too odd to tell -----------------------------------------------------------------------------
read | SELECT j FROM t AS x (i, a, b, j)
read | VALUES (1, 2), (2, NULL)
read | WITH RECURSIVE w (id, a) AS (SELECT id, a FROM t UNION SELECT t.id, t.a FROM t, w WHERE t.a = w.id AND w.id > 5) SEARCH DEPTH FIRST BY id SET path SELECT * FROM w ORDER BY path
read since-18 | SELECT JSON_VALUE(j, '$.a' RETURNING int DEFAULT 0 ON EMPTY ERROR ON ERROR), JSON_QUERY(j, '$.a' WITH WRAPPER), JSON_EXISTS(j, '$.a ? (@ > $x)' PASSING 1 AS x) FROM t
read | SELECT point(1, 2) <-> point(3, 4), box '((0,0),(1,1))' @> point '(0.5,0.5)', circle '<(0,0),1>', lseg '[(0,0),(1,1)]' ?# lseg '[(1,0),(0,1)]'
read | SELECT make_interval(secs => 1.5), make_interval(hours := 2)
read error{no empty names} | SELECT '' AS ""
write error{a name with dollars, and no verb} | SELECT$$x$$
write error{one name with dollars} | SELECT$1
read error{one operator} | SELECT@-1
read error{trailing junk} | SELECT 1AS x
read error{trailing junk} | SELECT 1e, 2e FROM (SELECT 1 AS x) y
write error{a closer without an opener} | /* */*/ SELECT 1
write silent{without standard_conforming_strings it would be open} | SELECT '\'
write silent{without standard_conforming_strings it would be open} | SELECT 'C:\dir\'
write silent{a column by this name is possible, and too rare to tell apart} | SELECT insert FROM (SELECT 1 AS insert) x
write silent{an alias by this name is possible, and too rare to tell apart} | SELECT * FROM (SELECT 1) AS nextval(x)
write silent{an escaped name could be any} | SELECT U&"\0061" FROM (SELECT 1 AS a) x
# --- every command of the reference: tables ----------------------------------------------------------------------------------
write | CREATE TABLE nt (id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10), a int DEFAULT 1 CHECK (a > 0), b text COLLATE "C" NOT NULL, c int GENERATED ALWAYS AS (a * 2) STORED, PRIMARY KEY (id), UNIQUE (a, b))
write | CREATE TABLE nt (id int REFERENCES t (id) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED)
write | CREATE TABLE nt (r int4range, EXCLUDE USING gist (r WITH &&))
write | CREATE TABLE nt (id int, ts date) PARTITION BY RANGE (ts)
write | CREATE TABLE nt () INHERITS (t)
write | CREATE TABLE nt (a int) WITH (fillfactor = 70) TABLESPACE pg_default
write | CREATE TABLE nt (a) AS SELECT 1
write | CREATE TABLE IF NOT EXISTS nt AS SELECT * FROM t FOR UPDATE
write | CREATE TABLE nt AS WITH x AS (SELECT 1 AS n) SELECT * FROM x
write | CREATE TABLE nt AS VALUES (1, 'a')
write | CREATE TABLE "temp" ("temporary" int)
write since-18 | CREATE TABLE nt (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL)
write since-18 | CREATE TABLE nt (a int, CONSTRAINT c CHECK (a > 0) NOT ENFORCED)
session | CREATE TEMP TABLE nt ON COMMIT DROP AS SELECT * FROM t
session | CREATE TEMPORARY TABLE IF NOT EXISTS nt (LIKE t INCLUDING DEFAULTS) ON COMMIT DELETE ROWS
session | CREATE TABLE "pg_temp".nt (id int)
session | CREATE TEMP TABLE nt AS WITH x AS (SELECT 1 AS n) TABLE x
session | CREATE TEMPORARY RECURSIVE VIEW nv (n) AS SELECT 1
write | ALTER TABLE t ADD COLUMN IF NOT EXISTS c int DEFAULT 5
write | ALTER TABLE t DROP COLUMN j CASCADE
write | ALTER TABLE t ADD CONSTRAINT tc CHECK (a > 0) NOT VALID
write | ALTER TABLE IF EXISTS nothing SET SCHEMA public
write | ALTER TABLE t ENABLE ROW LEVEL SECURITY, REPLICA IDENTITY FULL
write | ALTER TABLE t DISABLE TRIGGER ALL
write | ALTER TABLE t SET (autovacuum_enabled = false)
write | ALTER TABLE t RENAME COLUMN a TO aa
write | ALTER TABLE t SET UNLOGGED
write | ALTER TABLE t OWNER TO app
write | ALTER TABLE t CLUSTER ON t_pkey
write | DROP TABLE IF EXISTS t, u, nothing CASCADE
session | DROP TABLE IF EXISTS pg_temp.nt
write | TRUNCATE t, u CONTINUE IDENTITY RESTRICT
write | COMMENT ON COLUMN t.a IS 'it''s; DROP TABLE t'
write | COMMENT ON FUNCTION f_read() IS NULL
write | LOCK TABLE ONLY t IN SHARE ROW EXCLUSIVE MODE NOWAIT
write after{BEGIN} | LOCK TABLE t, u IN SHARE UPDATE EXCLUSIVE MODE
write after{BEGIN} silent{this mode is for readers} | LOCK TABLE v IN ACCESS SHARE MODE
# --- indexes, views, sequences, types ----------------------------------------------------------------------------------------
write | CREATE INDEX ni ON ONLY t USING btree (a DESC NULLS LAST, lower(b)) INCLUDE (id) WITH (fillfactor = 90) WHERE a > 0
write | CREATE UNIQUE INDEX ON t (a, b) NULLS NOT DISTINCT
write | CREATE INDEX ON t USING gin (j jsonb_path_ops)
write | CREATE INDEX ON t USING hash (b)
write | ALTER INDEX t_pkey RENAME TO tp
write | ALTER INDEX t_pkey SET (fillfactor = 80)
write | DROP INDEX IF EXISTS nothing, nothing2 RESTRICT
write autocommit | DROP INDEX CONCURRENTLY IF EXISTS nothing
write autocommit | REINDEX INDEX CONCURRENTLY t_pkey
write autocommit | REINDEX SCHEMA corpus
write | REINDEX (VERBOSE) INDEX t_pkey
write | CREATE VIEW nv (x) WITH (security_barrier) AS SELECT a FROM t WITH CASCADED CHECK OPTION
write | CREATE RECURSIVE VIEW nv (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM nv WHERE n < 3
write | CREATE OR REPLACE VIEW v AS SELECT * FROM t WHERE a > 1
write | CREATE MATERIALIZED VIEW IF NOT EXISTS nmv AS SELECT * FROM t WITH NO DATA
write | REFRESH MATERIALIZED VIEW mv WITH NO DATA
write | ALTER VIEW v ALTER COLUMN a SET DEFAULT 1
write | ALTER MATERIALIZED VIEW mv RENAME TO mv2
write | DROP VIEW v RESTRICT
write | DROP MATERIALIZED VIEW IF EXISTS mv
write | CREATE SEQUENCE IF NOT EXISTS ns AS smallint INCREMENT BY -1 MINVALUE -100 MAXVALUE -1 START -1 CACHE 5 NO CYCLE OWNED BY NONE
write | CREATE UNLOGGED SEQUENCE ns
write | ALTER SEQUENCE IF EXISTS s RESTART WITH 100 OWNED BY t.id
write | DROP SEQUENCE IF EXISTS nothing
write | CREATE TYPE nt AS (a int, b text)
write | CREATE TYPE nt AS RANGE (subtype = float8, subtype_diff = float8mi)
write | CREATE TYPE nt
write after{BEGIN; CREATE TYPE ne AS ENUM ('a')} autocommit | ALTER TYPE ne ADD VALUE IF NOT EXISTS 'b' AFTER 'a'
write after{CREATE TYPE ne AS (a int)} noexec{the replica refuses what comes before it} | ALTER TYPE ne ADD ATTRIBUTE b text
write | DROP TYPE IF EXISTS nothing CASCADE
write | CREATE DOMAIN nd AS text COLLATE "C" DEFAULT 'x' NOT NULL
write | DROP DOMAIN IF EXISTS nothing
write | CREATE COLLATION nc FROM "C"
write | ALTER COLLATION pg_catalog."C" REFRESH VERSION
write | CREATE COLLATION nc (provider = libc, locale = 'C')
write | DROP COLLATION IF EXISTS nothing
write since-16 | CREATE STATISTICS (ndistinct, dependencies, mcv) ON a, b FROM t
write | CREATE STATISTICS st ON (a + 1), b FROM t
write | DROP STATISTICS IF EXISTS nothing
write | CREATE SCHEMA ns AUTHORIZATION app CREATE TABLE x (a int) CREATE VIEW y AS SELECT 1
write | CREATE SCHEMA IF NOT EXISTS corpus
write | ALTER SCHEMA corpus RENAME TO corpus3
write | DROP SCHEMA IF EXISTS nothing CASCADE
# --- routines, triggers, rules, policies -------------------------------------------------------------------------------------
write | CREATE OR REPLACE FUNCTION nf(a int, b int DEFAULT 2, VARIADIC c text[] DEFAULT '{}') RETURNS TABLE (x int, y text) LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 10 ROWS 5 AS $f$ SELECT a, 'x'; $f$
write | CREATE FUNCTION nf(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1 + 1
write | CREATE FUNCTION nf() RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = corpus AS $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM t; PERFORM set_config('a.b', '1', false); RETURN n; END; $$
write | CREATE FUNCTION nf() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE 1 WHEN 1 THEN CASE 2 WHEN 2 THEN 3 END END; END
write | CREATE OR REPLACE PROCEDURE np(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := 1; COMMIT; END'
write | ALTER FUNCTION f_read() VOLATILE
write | ALTER PROCEDURE p_read() RENAME TO p_read2
write | ALTER ROUTINE f_read() OWNER TO CURRENT_USER
write | DROP FUNCTION IF EXISTS nothing(int), f_read()
write | DROP PROCEDURE p_read
write | DROP ROUTINE IF EXISTS nothing
write | CREATE AGGREGATE na (numeric) (SFUNC = numeric_add, STYPE = numeric, INITCOND = '0', PARALLEL = SAFE)
write | DROP AGGREGATE IF EXISTS nothing(int)
write | CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)
write | DROP OPERATOR IF EXISTS === (int, int)
write | CREATE OPERATOR FAMILY nof USING btree
write | CREATE OPERATOR CLASS noc FOR TYPE int USING btree AS OPERATOR 1 <, FUNCTION 1 btint4cmp(int, int)
write | CREATE TRIGGER nt AFTER UPDATE ON t REFERENCING OLD TABLE AS o FOR EACH STATEMENT WHEN (true) EXECUTE PROCEDURE f_trigger()
write | CREATE CONSTRAINT TRIGGER nt AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f_trigger()
write | DROP TRIGGER IF EXISTS nothing ON t
write error{the function returns no event_trigger} | CREATE EVENT TRIGGER net ON ddl_command_start EXECUTE FUNCTION f_trigger()
write | DROP EVENT TRIGGER IF EXISTS nothing
write | CREATE OR REPLACE RULE nr AS ON UPDATE TO v DO INSTEAD NOTHING
write | CREATE RULE nr AS ON DELETE TO v DO INSTEAD (DELETE FROM u WHERE u.id = OLD.id; UPDATE t SET a = 1 WHERE id = OLD.id)
write | CREATE RULE nr AS ON INSERT TO t WHERE NEW.a > 1 DO ALSO SELECT nextval('s')
write | DROP RULE IF EXISTS nothing ON t
write | CREATE POLICY np ON t AS RESTRICTIVE FOR SELECT TO PUBLIC USING (a > 0)
write | ALTER TABLE t FORCE ROW LEVEL SECURITY
write | DROP POLICY IF EXISTS nothing ON t
write | CREATE CONVERSION nc FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8
write | CREATE TEXT SEARCH CONFIGURATION ntc (COPY = pg_catalog.simple)
write | CREATE TEXT SEARCH DICTIONARY ntd (TEMPLATE = simple)
write | DROP TEXT SEARCH CONFIGURATION IF EXISTS nothing
write | CREATE ACCESS METHOD nam TYPE INDEX HANDLER bthandler
write | CREATE OR REPLACE TRUSTED LANGUAGE plpgsql
write | CREATE FOREIGN DATA WRAPPER nfdw
write error{no such wrapper} | CREATE SERVER nsv FOREIGN DATA WRAPPER nothing
write error{no such server} | CREATE FOREIGN TABLE nft (a int) SERVER nothing
write error{no such server} | CREATE USER MAPPING FOR CURRENT_USER SERVER nothing
write | CREATE PUBLICATION np FOR ALL TABLES WITH (publish = 'insert')
write | CREATE PUBLICATION np FOR TABLES IN SCHEMA corpus
write | DROP PUBLICATION IF EXISTS nothing
write | CREATE SUBSCRIPTION nsu CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false, slot_name = NONE, enabled = false)
write | DROP SUBSCRIPTION IF EXISTS nothing
write | CREATE EXTENSION IF NOT EXISTS plpgsql
write | ALTER EXTENSION plpgsql UPDATE
# --- roles and privileges ----------------------------------------------------------------------------------------------------
write | CREATE USER corpus_user WITH PASSWORD 'x' NOSUPERUSER CREATEDB CONNECTION LIMIT 5 VALID UNTIL '2030-01-01'
write | CREATE GROUP corpus_group ROLE app
write | ALTER ROLE app NOLOGIN
write | ALTER USER app IN DATABASE app SET search_path = public
write | ALTER ROLE ALL RESET work_mem
write | DROP ROLE IF EXISTS nobody
write | GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA corpus TO app WITH GRANT OPTION
write | GRANT SELECT (a), UPDATE (b) ON t TO app
write | GRANT pg_read_all_data TO app
write | GRANT USAGE ON SCHEMA corpus, public TO PUBLIC
write | GRANT EXECUTE ON FUNCTION f_read() TO app GRANTED BY CURRENT_USER
write | REVOKE GRANT OPTION FOR SELECT ON t FROM app CASCADE
write | REVOKE pg_monitor FROM app
write | ALTER DEFAULT PRIVILEGES IN SCHEMA corpus REVOKE ALL ON FUNCTIONS FROM PUBLIC
write | ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON SEQUENCES TO app
write | DROP OWNED BY app CASCADE
write | ALTER DATABASE app CONNECTION LIMIT 100
write | ALTER LARGE OBJECT 4242 OWNER TO app
write | GRANT SELECT ON LARGE OBJECT 4242 TO app
write | COMMENT ON LARGE OBJECT 4242 IS 'x'
write autocommit noexec{makes a database} | CREATE DATABASE corpus_db TEMPLATE template0 ENCODING 'UTF8'
write autocommit | DROP DATABASE IF EXISTS nothing WITH (FORCE)
write autocommit error{no such folder} | CREATE TABLESPACE nts LOCATION '/nothing/there'
write autocommit | DROP TABLESPACE IF EXISTS nothing
write autocommit noexec{changes the server's configuration} | ALTER SYSTEM RESET ALL
# --- INSERT, UPDATE, DELETE, MERGE, COPY -------------------------------------------------------------------------------------
write | INSERT INTO t VALUES (DEFAULT, 1, 'a', NULL), (DEFAULT, 2, 'b', '{}')
write | INSERT INTO t (id, a) OVERRIDING SYSTEM VALUE VALUES (950, 1)
write | INSERT INTO t AS target (id, a) VALUES (1, 5) ON CONFLICT ON CONSTRAINT t_pkey DO UPDATE SET a = target.a + excluded.a WHERE target.a < 100 RETURNING id, a AS new_a
write | INSERT INTO t (id, a) SELECT g, g FROM generate_series(960, 965) g ON CONFLICT DO NOTHING
write error{more expressions than columns} | INSERT INTO u TABLE t
write | INSERT INTO u (SELECT 966)
write | INSERT INTO t (a) VALUES ((SELECT max(a) FROM t)), (nextval('s'))
write | INSERT INTO v (id, a) VALUES (967, 1)
write since-18 | INSERT INTO t (id, a) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET a = 3 RETURNING OLD.a, NEW.a
write | UPDATE t AS x SET a = DEFAULT, b = upper(b) WHERE x.id IN (SELECT id FROM u)
write | UPDATE t SET (a, b) = (SELECT id, 'x' FROM u LIMIT 1), j = jsonb_set(coalesce(j, '{}'), '{k}', '1')
write | UPDATE t SET a = u.id FROM u LEFT JOIN t t2 ON t2.id = u.id WHERE t.id = u.id
write | UPDATE t SET j['a'] = '5'
write since-18 | UPDATE t SET a = 2 RETURNING WITH (OLD AS o, NEW AS n) o.a, n.a
write | UPDATE v SET a = 9
write | DELETE FROM ONLY t AS x USING u WHERE x.id = u.id RETURNING x.*, u.id
write | DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
write | DELETE FROM t WHERE ctid = '(0,1)'
write | MERGE INTO t AS x USING (SELECT id FROM u) AS y ON x.id = y.id WHEN MATCHED AND x.a > 0 THEN DELETE WHEN NOT MATCHED THEN INSERT (id, a) VALUES (y.id, 1)
write since-18 | MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED BY TARGET THEN INSERT DEFAULT VALUES RETURNING merge_action()
write since-18 | MERGE INTO v USING u ON v.id = u.id WHEN MATCHED THEN UPDATE SET a = 3
write | MERGE INTO ONLY t USING u ON false WHEN NOT MATCHED THEN INSERT (id) VALUES (u.id + 970)
write error{no such file} | COPY t FROM '/nothing/there' (FORMAT csv, HEADER)
write silent{writes a file of the server} | COPY (SELECT * FROM t WHERE a > 1) TO '/dev/null' WITH (FORMAT csv, HEADER true, DELIMITER ';', NULL '\N', FORCE_QUOTE *)
write silent{writes a file of the server} | COPY t (id, b) TO '/dev/null' BINARY
write silent{the statement in it could write} | COPY (VALUES (1)) TO '/dev/null'
write | COPY (DELETE FROM u RETURNING id) TO '/dev/null'
write | COPY (INSERT INTO u VALUES (990) RETURNING id) TO PROGRAM 'cat >/dev/null'
write noexec{the driver hangs on COPY by execute} | COPY t (a, b) FROM STDIN WITH (FORMAT text, ON_ERROR ignore)
write noexec{the driver hangs on COPY by execute} | COPY (SELECT j FROM t) TO STDOUT CSV HEADER
write noexec{the driver hangs on COPY by execute} | COPY BINARY t TO STDOUT
# --- locking reads, in every spelling ----------------------------------------------------------------------------------------
write | SELECT * FROM t FOR NO KEY UPDATE NOWAIT
write | SELECT * FROM t FOR NO KEY UPDATE OF t SKIP LOCKED
write | SELECT * FROM t FOR SHARE SKIP LOCKED
write | SELECT * FROM t FOR SHARE OF t NOWAIT
write | SELECT * FROM t FOR KEY SHARE SKIP LOCKED
write | SELECT * FROM t, u FOR UPDATE OF t FOR SHARE OF u
write | SELECT * FROM t JOIN u USING (id) FOR KEY SHARE OF u
write | SELECT * FROM t AS x WHERE a = 1 ORDER BY id LIMIT 1 FOR UPDATE OF x SKIP LOCKED
write | SELECT id FROM t FOR␉NO␉KEY⏎UPDATE
write | SELECT id FROM t for share
write | SELECT id FROM t FOR/**/UPDATE
write | SELECT id FROM t FOR--x⏎SHARE
write | SELECT id FROM t FOR UPDATE/* tail */
write | SELECT id FROM t WHERE b = 'FOR' FOR KEY SHARE
write | SELECT id FROM t FOR UPDATE FOR NO KEY UPDATE
write | SELECT * FROM v FOR UPDATE
write | SELECT * FROM (SELECT * FROM t) x FOR SHARE
write | SELECT * FROM t WHERE id IN (SELECT id FROM u FOR KEY SHARE)
write | SELECT * FROM t LEFT JOIN LATERAL (SELECT * FROM u WHERE u.id = t.id FOR UPDATE) x ON true
write | SELECT EXISTS (SELECT 1 FROM t WHERE id = 1 FOR SHARE)
write | VALUES ((SELECT id FROM t LIMIT 1 FOR UPDATE))
write | (SELECT id FROM t FOR UPDATE) LIMIT 1
write | TABLE t FOR NO KEY UPDATE
write error{no locks over groups} | SELECT a FROM t GROUP BY a FOR UPDATE
write error{no locks with DISTINCT} | SELECT DISTINCT a FROM t FOR SHARE
write silent{a view of no tables has no rows to lock} | SELECT 1 FOR UPDATE
write silent{a set of values has no rows to lock} | SELECT * FROM generate_series(1, 2) FOR UPDATE
# --- functions: the session --------------------------------------------------------------------------------------------------
session silent{changes a setting of the session} | SELECT set_config('application_name', 'x', false)
session silent{changes a setting of the session} | SELECT pg_catalog.set_config('search_path', '', false)
write silent{only the setting of this transaction} | SELECT pg_catalog.set_config('search_path', '', true)
session silent{it is not plain that it is for the transaction} | SELECT set_config('work_mem', '8MB', 1 = 1)
session silent{the lock outlives the statement} | SELECT pg_advisory_lock(hashtext('x'))
session silent{the lock outlives the statement} | SELECT pg_catalog.pg_advisory_lock(1::bigint)
session silent{the lock outlives the statement} | WITH l AS (SELECT pg_try_advisory_lock(1) AS got) SELECT got FROM l
session silent{the lock outlives the statement} | SELECT 1 FROM t WHERE pg_try_advisory_lock_shared(1, 2) LIMIT 1
session silent{unlocks what the session holds} | SELECT pg_advisory_unlock_shared(1)
session silent{unlocks what the session holds} | SELECT pg_advisory_unlock(classid, objid) FROM (SELECT 1 AS classid, 2 AS objid) x
write silent{a transaction-level lock is taken} | SELECT pg_advisory_xact_lock(1, 2)
write silent{a transaction-level lock is taken} | SELECT pg_try_advisory_xact_lock(42) AS got
write silent{a transaction-level lock is taken} | SELECT pg_try_advisory_xact_lock_shared(42)
session error{nothing was drawn in this session} | SELECT currval(pg_get_serial_sequence('t', 'id'))
session error{nothing was drawn in this session} | INSERT INTO u VALUES (currval('s'))
session error{nothing was drawn in this session} | INSERT INTO u VALUES (lastval())
session silent{the session's generator} | SELECT setseed(0.1), random()
session silent{an earlier snapshot of the session's} | SELECT pg_stat_clear_snapshot()
session error{no origin is set up} | SELECT pg_replication_origin_session_reset()
session | SELECT pg_replication_origin_session_is_setup()
# --- functions: the server ---------------------------------------------------------------------------------------------------
write | SELECT setval('s', (SELECT max(id) FROM t))
write | SELECT setval(pg_get_serial_sequence('t', 'id'), coalesce(max(id), 1)) FROM t
write | SELECT nextval('s'), nextval('s'::regclass), nextval(pg_get_serial_sequence('t', 'id'))
write | SELECT nextval('s') FROM generate_series(1, 3)
write | SELECT CASE WHEN true THEN nextval('s') ELSE 0 END
write | SELECT array_agg(nextval('s')) FROM t
write | SELECT * FROM t ORDER BY nextval('s')
write | SELECT * FROM t LIMIT 0 OFFSET nextval('s')
write | SELECT pg_notify('c', payload) FROM (SELECT 'x' AS payload) p
write | SELECT lo_creat(-1), lo_create(0)
write | SELECT lo_from_bytea(0, '\xdead'::bytea)
write silent{large objects may be opened for writing} | SELECT loread(lo_open(4242, 262144), 10)
write | SELECT lowrite(lo_open(4242, 131072), 'x')
write | SELECT lo_truncate(lo_open(4242, 131072), 0)
write silent{large objects may be opened for writing} | SELECT lo_lseek64(lo_open(4242, 262144), 0, 2), lo_tell64(0)
write silent{large objects may be opened for writing} | SELECT lo_close(lo_open(4242, 262144))
write error{no such file} | SELECT lo_import('/nothing/there')
write error{no such folder} | SELECT lo_export(4242, '/nothing/there')
write error{nothing to remove} | SELECT lo_unlink(1)
write | SELECT pg_current_xact_id()::text
write | SELECT txid_current() AS xid, now()
write | SELECT pg_walfile_name_offset(pg_last_wal_replay_lsn())
write noexec{takes the log onwards} | SELECT pg_walfile_name(pg_switch_wal())
read | SELECT pg_is_wal_replay_paused() WHERE pg_is_in_recovery()
write silent{acts on its server} | SELECT pg_rotate_logfile()
write silent{acts on its server} | SELECT pg_stat_reset_slru('notify')
write silent{acts on its server} | SELECT pg_stat_reset_single_function_counters(0)
write silent{acts on its server} | SELECT pg_stat_reset_shared('wal')
write silent{acts on its server} | SELECT pg_stat_force_next_flush()
write silent{acts on its server} | SELECT pg_log_backend_memory_contexts(0)
write silent{signals another session of its server} | SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE false
write silent{signals another session of its server} | SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = 0
write error{no such slot} | SELECT pg_drop_replication_slot('nothing')
write error{no such slot} | SELECT * FROM pg_logical_slot_get_changes('nothing', NULL, NULL)
write error{no such slot} | SELECT pg_replication_slot_advance('nothing', '0/1')
write error{no such slot} | SELECT pg_copy_physical_replication_slot('nothing', 'x')
write | SELECT pg_logical_emit_message(false, 'a', 'b')
write | SELECT pg_import_system_collations('pg_catalog')
write since-18 | SELECT pg_clear_relation_stats('corpus', 't')
write since-18 | SELECT pg_restore_relation_stats('schemaname', 'corpus', 'relname', 't', 'relpages', 1)
write since-18 | SELECT pg_clear_attribute_stats('corpus', 't', 'a', false)
write silent{the replica's snapshot is not the primary's} | SELECT pg_catalog.pg_export_snapshot()
write silent{runs text that is not seen} | SELECT ts_rewrite('a & b'::tsquery, 'SELECT ''a''::tsquery, ''c''::tsquery')
write only-15 silent{runs text that is not seen} | SELECT database_to_xml(true, false, '') IS NULL WHERE false
write only-15 silent{runs text that is not seen} | SELECT schema_to_xml('corpus', true, false, '') IS NULL WHERE false
# --- functions: reads --------------------------------------------------------------------------------------------------------
read | SELECT pg_get_serial_sequence('t', 'id'), pg_get_expr(adbin, adrelid) FROM pg_attrdef LIMIT 1
read | SELECT pg_get_indexdef(indexrelid), pg_get_constraintdef(c.oid, true) FROM pg_index, pg_constraint c LIMIT 1
read | SELECT format_type(atttypid, atttypmod), attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped
read | SELECT pg_stat_get_live_tuples('t'::regclass), pg_stat_get_tuples_inserted('t'::regclass), pg_total_relation_size('t'), pg_indexes_size('t')
read | SELECT pg_blocking_pids(pg_backend_pid()), pg_safe_snapshot_blocking_pids(pg_backend_pid())
read | SELECT pg_column_size(b), pg_typeof(b), pg_collation_for(b) FROM t
read | SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database
read | SELECT to_regclass('nothing'), to_regtype('int'), to_regproc('lower'), to_regnamespace('corpus'), to_regrole('app')
read | SELECT has_schema_privilege('corpus', 'CREATE'), has_column_privilege('t', 'a', 'UPDATE'), has_function_privilege('f_read()', 'EXECUTE'), pg_has_role('app', 'MEMBER')
read | SELECT current_setting('server_version_num')::int, current_setting('nothing.there', true), current_schemas(true)
read | SELECT pg_postmaster_start_time(), pg_conf_load_time(), inet_server_addr(), pg_client_encoding(), pg_my_temp_schema(), pg_is_other_temp_schema(0)
read | SELECT pg_last_wal_receive_lsn(), pg_wal_lsn_diff('0/2', '0/1'), pg_get_wal_replay_pause_state() WHERE pg_is_in_recovery()
read | SELECT now() - pg_last_xact_replay_timestamp() AS lag
read | SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END
read | SELECT random() < 0.5, gen_random_uuid()::text, statement_timestamp(), transaction_timestamp(), timeofday()
read since-18 | SELECT random(1, 10), array_sort(ARRAY[2, 1]), array_reverse(ARRAY[1, 2]), casefold('A'), crc32('a'), uuid_extract_version(uuidv7())
read since-16 | SELECT random_normal(), array_sample(ARRAY[1, 2], 1), pg_input_is_valid('1', 'int'), erf(0.5), date_add(now(), '1 day', 'UTC')
read | SELECT pg_ls_dir('.') LIMIT 0
read | SELECT (pg_stat_file('PG_VERSION')).size, pg_read_file('PG_VERSION'), length(pg_read_binary_file('PG_VERSION'))
read | SELECT * FROM pg_ls_waldir() LIMIT 0
read | SELECT pg_sleep_for('0 seconds'), pg_sleep_until(now())
read | SELECT * FROM pg_control_checkpoint(), pg_control_system()
read | SELECT pg_describe_object('pg_class'::regclass, 't'::regclass, 0), pg_identify_object('pg_class'::regclass, 't'::regclass, 0)
read | SELECT pg_partition_root('t'), pg_relation_filenode('t'), pg_relation_filepath('t'), pg_filenode_relation(0, 0)
read | SELECT * FROM pg_options_to_table(ARRAY['a=b'])
read | SELECT * FROM pg_timezone_names LIMIT 1
read | SELECT * FROM pg_available_extensions WHERE name = 'plpgsql'
read | SELECT * FROM ts_debug('english', 'a cat'), ts_parse('default', 'a') LIMIT 1
read | SELECT * FROM json_each('{"a": 1}'), json_object_keys('{"a": 1}'), json_array_elements('[1]')
read | SELECT jsonb_populate_record(NULL::t, '{"a": 1}'), json_populate_recordset(NULL::u, '[{"id": 1}]'), row_to_json(t), to_jsonb(t), array_to_json(ARRAY[1]) FROM t
read | SELECT string_to_array('a,b', ','), array_to_string(ARRAY[1], ','), array_append(ARRAY[1], 2), array_remove(ARRAY[1, 2], 1), array_fill(0, ARRAY[2]), array_ndims(ARRAY[1]), unnest(ARRAY[1, 2])
read | SELECT ascii('a'), chr(97), initcap('a b'), lpad('a', 3), repeat('a', 2), reverse('ab'), left('ab', 1), right('ab', 1), quote_ident('a b'), quote_literal('a'), quote_nullable(NULL), to_hex(255), starts_with('ab', 'a')
read | SELECT txid_visible_in_snapshot(1, txid_current_snapshot()), pg_xact_status('3'::xid8), pg_snapshot_xmin(pg_current_snapshot())
read | SELECT pg_index_column_has_property('t_pkey'::regclass, 1, 'asc'), pg_indexam_has_property(403, 'can_order')
read | SELECT hashtext('a'), pg_catalog.hashtextextended('a', 0), pg_catalog."lower"('A'), "pg_catalog".upper('a')
read | SELECT f_read() + f_read(), (SELECT f_read()), (f_rows()).id FROM t
read | SELECT * FROM f_rows() WITH ORDINALITY AS x (id, a, b, j, n) WHERE f_read() > 0
read | SELECT * FROM corpus.f_rows() x JOIN LATERAL corpus.f_rows() y ON x.id = y.id
read unknown{writes} | SELECT * FROM f_write()
read unknown{writes} | SELECT f_write() FROM t LIMIT 1
read unknown{writes} | VALUES (f_write())
read unknown{writes} | EXPLAIN ANALYZE SELECT f_write()
read unknown{writes} | WITH x AS MATERIALIZED (SELECT f_write() AS n) SELECT * FROM x
read | EXPLAIN SELECT f_write()
# --- EXPLAIN and SHOW, in every spelling -------------------------------------------------------------------------------------
read | explain verbose select * from t
read | EXPLAIN (VERBOSE, COSTS false, SETTINGS, SUMMARY on, FORMAT yaml) SELECT 1
read | EXPLAIN (FORMAT xml) VALUES (1)
read | EXPLAIN (ANALYZE, VERBOSE, BUFFERS, WAL, TIMING off, SUMMARY off, FORMAT text) SELECT 1
read since-16 | EXPLAIN (GENERIC_PLAN) SELECT * FROM t WHERE id = 1
read since-18 | EXPLAIN (ANALYZE, MEMORY, SERIALIZE text) SELECT 1
read | EXPLAIN (ANALYZE 0) DELETE FROM t
read | EXPLAIN ANALYZE (SELECT 1) UNION (SELECT 2)
read | EXPLAIN ANALYZE VALUES (1)
read | EXPLAIN ANALYZE TABLE t
read | EXPLAIN ((SELECT 1))
read | EXPLAIN (VERBOSE) (SELECT 1)
read | EXPLAIN WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d
read | EXPLAIN (VERBOSE) WITH x AS (SELECT 1) UPDATE t SET a = 1
read | EXPLAIN INSERT INTO u SELECT 1 ON CONFLICT DO NOTHING
read | EXPLAIN SELECT nextval('s')
read | EXPLAIN SELECT pg_advisory_lock(1)
write | EXPLAIN (ANALYZE, COSTS off) WITH d AS (DELETE FROM u RETURNING *) SELECT 1
write | EXPLAIN (ANALYZE 'on') INSERT INTO u VALUES (991)
write | EXPLAIN (VERBOSE, ANALYZE) UPDATE t SET a = 1
write | EXPLAIN (FORMAT json, ANALYZE TRUE, BUFFERS) DELETE FROM t
write | EXPLAIN ANALYZE VERBOSE MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE
write | EXPLAIN ANALYSE VERBOSE INSERT INTO u VALUES (992)
write | EXPLAIN (ANALYZE) SELECT * FROM t FOR SHARE
write | EXPLAIN (ANALYZE off, ANALYZE on) DELETE FROM u
write silent{what would be made is not made} | EXPLAIN CREATE MATERIALIZED VIEW nv AS SELECT 1
write silent{what would be made is not made} | EXPLAIN REFRESH MATERIALIZED VIEW mv
write | EXPLAIN ANALYZE CREATE TABLE nt AS SELECT 1 AS a
session silent{the lock outlives the statement} | EXPLAIN ANALYZE SELECT pg_advisory_lock(1)
session after{PREPARE p (int) AS SELECT $1} silent{needs a statement} | EXPLAIN ANALYZE EXECUTE p(1)
session after{PREPARE p AS DELETE FROM t} | EXPLAIN (ANALYZE) EXECUTE p
read | SHOW server_version
read | SHOW transaction_read_only
read | SHOW default_transaction_isolation
read | SHOW "search_path"
read | SHOW SESSION AUTHORIZATION
read | SHOW all;
read | SHOW is_superuser
read | SHOW max_connections -- x
read | SHOW lc_messages
read error{no such setting} | SHOW nothing_there
read after{SET a.b = 'c'} | SHOW a.b
# --- session commands, in every spelling -------------------------------------------------------------------------------------
session silent{changes a setting of the session} | SET search_path TO corpus, "$user", public
session silent{changes a setting of the session} | SET application_name = 'a''b'
session silent{changes a setting of the session} | SET statement_timeout = '30s'
session silent{changes a setting of the session} | SET client_encoding TO 'UTF8'
session silent{changes a setting of the session} | SET SESSION TIME ZONE LOCAL
session silent{changes a setting of the session} | SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE
session silent{changes a setting of the session} | SET TIMEZONE = 'Europe/Berlin'
session silent{changes a setting of the session} | SET a.b = 'c'
session silent{changes a setting of the session} | SET work_mem FROM CURRENT
session silent{changes a setting of the session} | SET XML OPTION DOCUMENT
session silent{changes a setting of the session} | SET SCHEMA 'corpus'
session silent{changes a setting of the session} | set datestyle to iso, dmy
session silent{changes a setting of the session} | SET standard_conforming_strings = off
session silent{changes a setting of the session} | SET synchronous_commit = off; SELECT 1
session silent{changes the session's user} | SET SESSION AUTHORIZATION DEFAULT
session silent{changes the session's user} | SET ROLE NONE
session silent{changes the session's user} | SET ROLE "app"
write silent{only for this transaction} | SET LOCAL statement_timeout = 0
write silent{only for this transaction} | SET LOCAL ROLE app
write silent{only for this transaction} | SET LOCAL TIME ZONE 'UTC'
write silent{only for this transaction} | SET LOCAL a.b TO 'c'
write silent{only for this transaction} | SET LOCAL SESSION AUTHORIZATION app
write silent{only for this transaction} | SET CONSTRAINTS t_pkey IMMEDIATE
write silent{only for this transaction} | SET TRANSACTION READ ONLY
write after{BEGIN ISOLATION LEVEL REPEATABLE READ} silent{only for this transaction} | SET TRANSACTION DEFERRABLE
session silent{changes a setting of the session} | RESET search_path
session silent{changes a setting of the session} | RESET a.b
session silent{changes a setting of the session} | RESET TIME ZONE
session silent{empties the session} | DISCARD SEQUENCES
session silent{empties the session} | DISCARD TEMPORARY
session silent{keeps a statement} | PREPARE p (int, text) AS SELECT * FROM t WHERE a = $1 AND b = $2
session silent{keeps a statement} | PREPARE p AS WITH x AS (SELECT 1) TABLE x
session silent{keeps a statement} | PREPARE "select" AS DELETE FROM t
session silent{keeps a statement} | PREPARE p AS UPDATE t SET a = 1; SELECT 1
session after{PREPARE p (int) AS SELECT $1} silent{needs a statement} | EXECUTE p (1 + 1)
session after{PREPARE p AS SELECT 1} silent{forgets a statement} | DEALLOCATE PREPARE p
session silent{forgets statements} | DEALLOCATE PREPARE ALL
session after{BEGIN} silent{keeps a cursor} | DECLARE c BINARY INSENSITIVE NO SCROLL CURSOR WITHOUT HOLD FOR SELECT * FROM t
session after{BEGIN} silent{keeps a cursor} | DECLARE "c" SCROLL CURSOR FOR VALUES (1), (2)
session after{BEGIN} | DECLARE c CURSOR FOR SELECT * FROM t FOR UPDATE
session after{BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM t} silent{needs a cursor} | FETCH BACKWARD ALL IN c
session after{BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM t} silent{needs a cursor} | FETCH ABSOLUTE 1 FROM c
session after{BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM t} silent{needs a cursor} | FETCH FORWARD 10 FROM c
session after{BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM t} silent{needs a cursor} | MOVE FORWARD ALL IN c
session after{BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM t} silent{needs a cursor} | FETCH PRIOR c
session after{BEGIN; DECLARE c CURSOR FOR SELECT * FROM t; FETCH c} | DELETE FROM t WHERE CURRENT OF c
session silent{of the session} | UNLISTEN c
session | LISTEN "Chan"
write | NOTIFY "Chan", 'it''s; DROP'
session error{no such file} | LOAD '/nothing/there'
write silent{what a block does is not seen} | DO 'BEGIN PERFORM 1; END'
write silent{what a block does is not seen} | DO $body$ DECLARE n int; BEGIN SELECT 1 INTO n; EXECUTE 'SELECT 1'; END $body$ LANGUAGE plpgsql
write | DO $$ BEGIN PERFORM nextval('s'); END $$
write silent{what a procedure does is not seen} | CALL corpus.p_read()
write | call "p_write"()
write autocommit | VACUUM (FULL, ANALYZE, VERBOSE) t
write autocommit | VACUUM FREEZE t, u
write autocommit | VACUUM ANALYZE t (a, b)
write | ANALYZE (VERBOSE, SKIP_LOCKED) t (a)
write | ANALYZE VERBOSE
write after{SELECT 1} autocommit noexec{every table is rewritten} | CLUSTER VERBOSE
# --- transactions, in every spelling -----------------------------------------------------------------------------------------
control silent{opens a transaction} | BEGIN TRANSACTION
control silent{opens a transaction} | BEGIN WORK ISOLATION LEVEL READ COMMITTED, READ ONLY
control silent{opens a transaction} | BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY DEFERRABLE
control | START TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE
control silent{opens a transaction} | START TRANSACTION NOT DEFERRABLE
control after{BEGIN} silent{ends a transaction} | COMMIT TRANSACTION
control after{BEGIN} silent{ends a transaction} | COMMIT WORK AND NO CHAIN
control after{BEGIN} silent{ends a transaction} | END TRANSACTION AND NO CHAIN
control after{BEGIN} silent{ends a transaction} | ROLLBACK WORK
control after{BEGIN} silent{ends a transaction} | ABORT TRANSACTION
control after{BEGIN} silent{ends a transaction} | ROLLBACK AND CHAIN
control after{BEGIN; SAVEPOINT a} silent{keeps a savepoint} | ROLLBACK TRANSACTION TO a
control after{BEGIN; SAVEPOINT "a b"} silent{keeps a savepoint} | RELEASE "a b"
control silent{ends a transaction} | COMMIT;
control silent{ends a transaction} | /* x */ rollback -- y
# --- several statements ------------------------------------------------------------------------------------------------------
read | SELECT 1; SHOW work_mem; TABLE t; VALUES (1); EXPLAIN SELECT 1
write | SELECT 1; INSERT INTO u VALUES (993)
write | SELECT 1;⏎-- c⏎UPDATE t SET a = 1;
write | VALUES (1); TRUNCATE t
write | SELECT ';'; DROP TABLE u
write | SELECT $$;$$; DROP TABLE u
write | SELECT ";" FROM (SELECT 1 AS ";") x; DROP TABLE u
write | SELECT E'\';'; DROP TABLE u
write | SHOW work_mem; SELECT nextval('s')
write | CREATE FUNCTION nf() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END; SELECT 1
write | CREATE RULE r AS ON INSERT TO u DO ALSO (SELECT 1; SELECT 2); SELECT 1
session silent{holds a lock} | SELECT 1; SELECT pg_advisory_lock(1)
session | SELECT 1; CREATE TEMP TABLE nt (a int)
session silent{keeps a statement} | SELECT 1; PREPARE p AS SELECT 1
control | SELECT 1; COMMIT; BEGIN READ WRITE
control | BEGIN READ WRITE; INSERT INTO u VALUES (994); COMMIT; DELETE FROM u WHERE id = 994
# --- as drivers, frameworks and tools write them -----------------------------------------------------------------------------
read | SELECT 1 AS one FROM "t" WHERE "t"."id" = 1 LIMIT 1
read | SELECT "t".* FROM "t" WHERE "t"."a" IN (1, 2) AND "t"."b" IS NOT NULL ORDER BY "t"."id" ASC LIMIT 11 /*application:Shop,controller:orders,action:index*/
read | SELECT COUNT(*) AS "count_all", "t"."a" AS "t_a" FROM "t" GROUP BY "t"."a"
write | SELECT "t".* FROM "t" WHERE "t"."id" = 1 LIMIT 1 FOR UPDATE
write | INSERT INTO "t" ("a", "b") VALUES (1, 'x') RETURNING "id"
write | UPDATE "t" SET "a" = COALESCE("a", 0) + 1 WHERE "t"."id" = 1
session silent{changes a setting of the session} | SET client_min_messages TO 'warning'
session silent{changes a setting of the session} | SET SESSION timezone TO 'UTC'
read | SELECT t.oid, t.typname FROM pg_type as t WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'bool', 'timestamp', 'timestamptz')
read | SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attrelid = '"t"'::regclass AND a.attnum > 0
session silent{the lock outlives the statement} | SELECT pg_try_advisory_lock(4856398474629364726)
session silent{the lock outlives the statement} | SELECT pg_advisory_unlock(4856398474629364726)
read | select t1_0.id,t1_0.a,t1_0.b from t t1_0 where t1_0.id=1
write | select t1_0.id,t1_0.a from t t1_0 where t1_0.id=1 for no key update
write | select t1_0.id from t t1_0 where t1_0.a=1 fetch first 1 rows only for no key update skip locked
write | select nextval ('s')
read | select count(t1_0.id) from t t1_0 left join u u1_0 on u1_0.id=t1_0.id where lower(t1_0.b) like lower('%x%') escape ''
write | with recursive x as (select 1 as n) delete from t where id in (select n from x)
read | SELECT COUNT(*) FROM pg_namespace WHERE nspname='corpus'
read | SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'corpus' AND c.relname = 'flyway_schema_history' AND c.relkind = 'r')
session silent{the lock outlives the statement} | SELECT pg_try_advisory_lock(77431708279161)
session silent{the lock outlives the statement} | SELECT pg_advisory_lock(77431708279161)
write silent{a transaction-level lock is taken} | SELECT pg_advisory_xact_lock(hashtext('django_migrations'))
read | SELECT current_schema(), session_user
read | select current_schema()
read | select pg_catalog.version()
read | show standard_conforming_strings
read | SELECT t.typname, t.oid FROM pg_type t JOIN pg_namespace n ON t.typnamespace = n.oid WHERE n.nspname != 'pg_toast' AND (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_class c WHERE c.oid = t.typrelid))
read | SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typname IN ('int2') OR t.typtype IN ('r', 'e', 'd')
read | SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' END AS TABLE_TYPE FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname LIKE 't' ORDER BY TABLE_TYPE, TABLE_NAME
read | SELECT 'pgadmin' AS "db", pg_catalog.json_build_object('total', (SELECT count(*) FROM pg_catalog.pg_stat_activity), 'active', (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active'))
read | /*pga4dash*/⏎SELECT 'session_stats' AS chart_name, pg_catalog.row_to_json(t) AS chart_data FROM (SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity) AS "Total") t
read | SELECT pid, usename, query, wait_event_type, state FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state <> 'idle' ORDER BY query_start
read | SELECT blocked.pid, blocking.pid FROM pg_locks blocked JOIN pg_locks blocking ON blocking.locktype = blocked.locktype AND blocking.pid <> blocked.pid WHERE NOT blocked.granted
read | SELECT schemaname, relname, seq_scan, idx_scan, n_live_tup, n_dead_tup, last_autovacuum FROM pg_stat_user_tables ORDER BY n_dead_tup DESC
read | SELECT relname, pg_size_pretty(pg_total_relation_size(relid)) FROM pg_catalog.pg_statio_user_tables ORDER BY pg_total_relation_size(relid) DESC LIMIT 5
read | SELECT sum(blks_hit) / nullif(sum(blks_hit) + sum(blks_read), 0) FROM pg_stat_database
read | SELECT application_name, state, sync_state, pg_wal_lsn_diff(sent_lsn, replay_lsn) FROM pg_stat_replication
read | SELECT slot_name, active, restart_lsn FROM pg_replication_slots
read | SELECT * FROM pg_stat_wal_receiver
write silent{only the setting of this transaction} | select set_config('search_path', 'corpus', true), set_config('role', 'postgres', true), set_config('request.jwt.claims', '{}', true)
read | WITH pgrst_source AS (SELECT "corpus"."t".* FROM "corpus"."t" WHERE "corpus"."t"."a" = '1' LIMIT 10 OFFSET 0) SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body FROM (SELECT * FROM pgrst_source) _postgrest_t
write | WITH pgrst_source AS (INSERT INTO "corpus"."t" ("a") SELECT "a" FROM json_populate_recordset(null::"corpus"."t", '[{"a": 1}]') _ RETURNING "corpus"."t".*) SELECT '' AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total FROM (SELECT * FROM pgrst_source) _postgrest_t
read | SELECT "t0"."id", "t0"."a" FROM "corpus"."t" AS "t0" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT('id', "u"."id") AS "__prisma_data__" FROM "u" WHERE "u"."id" = "t0"."id") AS "x") AS "t1" ON true
write | UPDATE t SET a = 2 WHERE id = (SELECT id FROM t WHERE a = 1 ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id, b
write | WITH next AS (SELECT id FROM t WHERE a < 3 ORDER BY id LIMIT 5 FOR UPDATE SKIP LOCKED) UPDATE t SET a = 3 FROM next WHERE t.id = next.id RETURNING t.*
write | DELETE FROM t USING (SELECT id FROM t LIMIT 1 FOR UPDATE SKIP LOCKED) q WHERE q.id = t.id RETURNING t.*
read | SELECT DISTINCT "t"."id" FROM "t" INNER JOIN "u" ON "u"."id" = "t"."id" WHERE ("t"."b" ILIKE '%a%' OR 1 = 0) AND NOT ("t"."a" = 5)
read | SELECT count(*) FROM (SELECT DISTINCT t.id AS t_id FROM t) AS anon_1
read | SELECT t.id AS t_id, anon_1.id FROM t LEFT OUTER JOIN (SELECT u.id AS id FROM u) AS anon_1 ON t.id = anon_1.id WHERE t.a = 1::INTEGER
read | SELECT CAST('test plain returns' AS VARCHAR(60)) AS anon_1
read | SELECT relname FROM pg_class c join pg_namespace n on n.oid=c.relnamespace where pg_catalog.pg_table_is_visible(c.oid) and relname='alembic_version'
session autocommit silent{closes what the session keeps} | DISCARD ALL;
write silent{what a block does is not seen} | DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'nothing') THEN PERFORM 1; END IF; END $$
read | SELECT * FROM t WHERE to_tsvector('english', coalesce(b, '')) @@ plainto_tsquery('english', 'update or delete') ORDER BY id
read | SELECT g.d::date, count(t.id) FROM generate_series('2024-01-01'::timestamp, '2024-01-03', '1 day') AS g(d) LEFT JOIN t ON t.id = extract(day FROM g.d) GROUP BY 1 ORDER BY 1
read | SELECT * FROM (SELECT t.*, row_number() OVER (PARTITION BY a ORDER BY id DESC) AS rn FROM t) x WHERE rn <= 3
read | SELECT * FROM t WHERE (a, id) > (1, 0) ORDER BY a, id LIMIT 50
read | SELECT jsonb_build_object('type', 'FeatureCollection', 'features', jsonb_agg(to_jsonb(t) - 'b')) FROM t
read | SELECT reltuples::bigint AS estimate FROM pg_class WHERE oid = 'corpus.t'::regclass
# --- more of the odd ---------------------------------------------------------------------------------------------------------
write | ALTER TABLE ONLY u ALTER COLUMN id SET DEFAULT 1, ALTER id TYPE bigint USING id::bigint
write | CREATE TRIGGER nt AFTER INSERT ON t REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION f_trigger()
write error{not compatible} | CREATE CAST (int AS bytea) WITHOUT FUNCTION
write error{it is there already} | CREATE LANGUAGE plpgsql
write error{no such function} | CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION f_none(internal))
write | INSERT INTO t (id) TABLE u ON CONFLICT DO NOTHING
write error{the offset stands before the lock} | SELECT id FROM t LIMIT 1 FOR UPDATE OFFSET 0
write | SELECT id FROM t FOR UPDATE LIMIT 1 OFFSET 0
write error{no such kind of index} | SELECT brin_summarize_new_values('t_pkey'::regclass)
write error{no such kind of index} | SELECT gin_clean_pending_list('t_pkey'::regclass)
write silent{it is not called} | SELECT pg_replication_origin_drop('nothing') WHERE false
read unknown{writes} | SELECT count(*) FROM u WHERE f_write() > 0
session error{a number is no seed here} | SET SEED 0.5
session silent{changes a setting of the session} | SET SEED TO 0.5
read | SELECT 1 AS update, 2 AS delete FROM t
# --- as psql emits them ------------------------------------------------------------------------------------------------------
read | SELECT n.nspname as "Schema",⏎  c.relname as "Name",⏎  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type",⏎  pg_catalog.pg_get_userbyid(c.relowner) as "Owner"⏎FROM pg_catalog.pg_class c⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace⏎     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam⏎WHERE c.relkind IN ('r','p','v','m','S','f','')⏎      AND n.nspname <> 'pg_catalog'⏎      AND n.nspname !~ '^pg_toast'⏎      AND n.nspname <> 'information_schema'⏎  AND pg_catalog.pg_table_is_visible(c.oid)⏎ORDER BY 1,2;
read | SELECT c.oid,⏎  n.nspname,⏎  c.relname⏎FROM pg_catalog.pg_class c⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace⏎WHERE c.relname OPERATOR(pg_catalog.~) '^(t)$' COLLATE pg_catalog.default⏎  AND pg_catalog.pg_table_is_visible(c.oid)⏎ORDER BY 2, 3;
read | SELECT c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, c.relrowsecurity, c.relforcerowsecurity, false AS relhasoids, c.relispartition, '', c.reltablespace, CASE WHEN c.reloftype = 0 THEN '' ELSE c.reloftype::pg_catalog.regtype::pg_catalog.text END, c.relpersistence, c.relreplident, am.amname⏎FROM pg_catalog.pg_class c⏎ LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid)⏎LEFT JOIN pg_catalog.pg_am am ON (c.relam = am.oid)⏎WHERE c.oid = '16386';
read | SELECT a.attname,⏎  pg_catalog.format_type(a.atttypid, a.atttypmod),⏎  (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true)⏎   FROM pg_catalog.pg_attrdef d⏎   WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),⏎  a.attnotnull,⏎  (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t⏎   WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation,⏎  a.attidentity,⏎  a.attgenerated⏎FROM pg_catalog.pg_attribute a⏎WHERE a.attrelid = '16386' AND a.attnum > 0 AND NOT a.attisdropped⏎ORDER BY a.attnum;
read | SELECT c2.relname, i.indisprimary, i.indisunique, i.indisclustered, i.indisvalid, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true),⏎  pg_catalog.pg_get_constraintdef(con.oid, true), contype, condeferrable, condeferred, i.indisreplident, c2.reltablespace⏎FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i⏎  LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x'))⏎WHERE c.oid = '16386' AND c.oid = i.indrelid AND i.indexrelid = c2.oid⏎ORDER BY i.indisprimary DESC, c2.relname;
read | SELECT pol.polname, pol.polpermissive,⏎  CASE WHEN pol.polroles = '{0}' THEN NULL ELSE pg_catalog.array_to_string(array(select rolname from pg_catalog.pg_roles where oid = any (pol.polroles) order by 1),',') END,⏎  pg_catalog.pg_get_expr(pol.polqual, pol.polrelid),⏎  pg_catalog.pg_get_expr(pol.polwithcheck, pol.polrelid),⏎  CASE pol.polcmd⏎    WHEN 'r' THEN 'SELECT'⏎    WHEN 'a' THEN 'INSERT'⏎    WHEN 'w' THEN 'UPDATE'⏎    WHEN 'd' THEN 'DELETE'⏎    END AS cmd⏎FROM pg_catalog.pg_policy pol⏎WHERE pol.polrelid = '16386' ORDER BY 1;
read | SELECT oid, stxrelid::pg_catalog.regclass, stxnamespace::pg_catalog.regnamespace::pg_catalog.text AS nsp, stxname,⏎pg_catalog.pg_get_statisticsobjdef_columns(oid) AS columns,⏎  'd' = any(stxkind) AS ndist_enabled,⏎  'f' = any(stxkind) AS deps_enabled,⏎  'm' = any(stxkind) AS mcv_enabled,⏎stxstattarget⏎FROM pg_catalog.pg_statistic_ext⏎WHERE stxrelid = '16386'⏎ORDER BY nsp, stxname;
read | SELECT pubname⏎     , NULL⏎     , NULL⏎FROM pg_catalog.pg_publication p⏎     JOIN pg_catalog.pg_publication_namespace pn ON p.oid = pn.pnpubid⏎     JOIN pg_catalog.pg_class pc ON pc.relnamespace = pn.pnnspid⏎WHERE pc.oid ='16386' and pg_catalog.pg_relation_is_publishable('16386')⏎UNION⏎SELECT pubname⏎     , pg_get_expr(pr.prqual, c.oid)⏎     , (CASE WHEN pr.prattrs IS NOT NULL THEN⏎         (SELECT string_agg(attname, ', ')⏎           FROM pg_catalog.generate_series(0, pg_catalog.array_upper(pr.prattrs::pg_catalog.int2[], 1)) s,⏎                pg_catalog.pg_attribute⏎          WHERE attrelid = pr.prrelid AND attnum = prattrs[s])⏎        ELSE NULL END) FROM pg_catalog.pg_publication p⏎     JOIN pg_catalog.pg_publication_rel pr ON p.oid = pr.prpubid⏎     JOIN pg_catalog.pg_class c ON c.oid = pr.prrelid⏎WHERE pr.prrelid = '16386'⏎UNION⏎SELECT pubname⏎     , NULL⏎     , NULL⏎FROM pg_catalog.pg_publication p⏎WHERE p.puballtables AND pg_catalog.pg_relation_is_publishable('16386')⏎ORDER BY 1;
read | SELECT c.oid::pg_catalog.regclass⏎FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i⏎WHERE c.oid = i.inhparent AND i.inhrelid = '16386'⏎  AND c.relkind != 'p' AND c.relkind != 'I'⏎ORDER BY inhseqno;
read | SELECT c.oid::pg_catalog.regclass, c.relkind, inhdetachpending, pg_catalog.pg_get_expr(c.relpartbound, c.oid)⏎FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i⏎WHERE c.oid = i.inhrelid AND i.inhparent = '16386'⏎ORDER BY pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', c.oid::pg_catalog.regclass::pg_catalog.text;
read | SELECT c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, c.relrowsecurity, c.relforcerowsecurity, false AS relhasoids, c.relispartition, pg_catalog.array_to_string(c.reloptions || array(select 'toast.' || x from pg_catalog.unnest(tc.reloptions) x), ', ')⏎, c.reltablespace, CASE WHEN c.reloftype = 0 THEN '' ELSE c.reloftype::pg_catalog.regtype::pg_catalog.text END, c.relpersistence, c.relreplident, am.amname⏎FROM pg_catalog.pg_class c⏎ LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid)⏎LEFT JOIN pg_catalog.pg_am am ON (c.relam = am.oid)⏎WHERE c.oid = '16386';
read | SELECT a.attname,⏎  pg_catalog.format_type(a.atttypid, a.atttypmod),⏎  (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true)⏎   FROM pg_catalog.pg_attrdef d⏎   WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),⏎  a.attnotnull,⏎  (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t⏎   WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation,⏎  a.attidentity,⏎  a.attgenerated,⏎  a.attstorage,⏎  a.attcompression AS attcompression,⏎  CASE WHEN a.attstattarget=-1 THEN NULL ELSE a.attstattarget END AS attstattarget,⏎  pg_catalog.col_description(a.attrelid, a.attnum)⏎FROM pg_catalog.pg_attribute a⏎WHERE a.attrelid = '16386' AND a.attnum > 0 AND NOT a.attisdropped⏎ORDER BY a.attnum;
read | SELECT a.attname,⏎  pg_catalog.format_type(a.atttypid, a.atttypmod),⏎  (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true)⏎   FROM pg_catalog.pg_attrdef d⏎   WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),⏎  a.attnotnull,⏎  (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t⏎   WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation,⏎  a.attidentity,⏎  a.attgenerated,⏎  a.attstorage,⏎  pg_catalog.col_description(a.attrelid, a.attnum)⏎FROM pg_catalog.pg_attribute a⏎WHERE a.attrelid = '16403' AND a.attnum > 0 AND NOT a.attisdropped⏎ORDER BY a.attnum;
read | SELECT pg_catalog.pg_get_viewdef('16403'::pg_catalog.oid, true);
read | SELECT r.rulename, trim(trailing ';' from pg_catalog.pg_get_ruledef(r.oid, true))⏎FROM pg_catalog.pg_rewrite r⏎WHERE r.ev_class = '16403' AND r.rulename != '_RETURN' ORDER BY 1;
read | SELECT pg_catalog.format_type(seqtypid, NULL) AS "Type",⏎       seqstart AS "Start",⏎       seqmin AS "Minimum",⏎       seqmax AS "Maximum",⏎       seqincrement AS "Increment",⏎       CASE WHEN seqcycle THEN 'yes' ELSE 'no' END AS "Cycles?",⏎       seqcache AS "Cache"⏎FROM pg_catalog.pg_sequence⏎WHERE seqrelid = '16402';
read | SELECT pg_catalog.quote_ident(nspname) || '.' ||⏎   pg_catalog.quote_ident(relname) || '.' ||⏎   pg_catalog.quote_ident(attname),⏎   d.deptype⏎FROM pg_catalog.pg_class c⏎INNER JOIN pg_catalog.pg_depend d ON c.oid=d.refobjid⏎INNER JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace⏎INNER JOIN pg_catalog.pg_attribute a ON (⏎ a.attrelid=c.oid AND⏎ a.attnum=d.refobjsubid)⏎WHERE d.classid='pg_catalog.pg_class'::pg_catalog.regclass⏎ AND d.refclassid='pg_catalog.pg_class'::pg_catalog.regclass⏎ AND d.objid='16402'⏎ AND d.deptype IN ('a', 'i')
read | SELECT n.nspname as "Schema",⏎  c.relname as "Name",⏎  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type",⏎  pg_catalog.pg_get_userbyid(c.relowner) as "Owner",⏎  c2.relname as "Table"⏎FROM pg_catalog.pg_class c⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace⏎     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam⏎     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid⏎     LEFT JOIN pg_catalog.pg_class c2 ON i.indrelid = c2.oid⏎WHERE c.relkind IN ('i','I','')⏎      AND n.nspname <> 'pg_catalog'⏎      AND n.nspname !~ '^pg_toast'⏎      AND n.nspname <> 'information_schema'⏎  AND pg_catalog.pg_table_is_visible(c.oid)⏎ORDER BY 1,2;
read | SELECT n.nspname as "Schema",⏎  c.relname as "Name",⏎  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type",⏎  pg_catalog.pg_get_userbyid(c.relowner) as "Owner",⏎  c2.relname as "Table",⏎  CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 't' THEN 'temporary' WHEN 'u' THEN 'unlogged' END as "Persistence",⏎  am.amname as "Access method",⏎  pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)) as "Size",⏎  pg_catalog.obj_description(c.oid, 'pg_class') as "Description"⏎FROM pg_catalog.pg_class c⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace⏎     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam⏎     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid⏎     LEFT JOIN pg_catalog.pg_class c2 ON i.indrelid = c2.oid⏎WHERE c.relkind IN ('i','I','s','')⏎  AND c.relname OPERATOR(pg_catalog.~) '^(t_pkey)$' COLLATE pg_catalog.default⏎  AND pg_catalog.pg_table_is_visible(c.oid)⏎ORDER BY 1,2;
read | SELECT a.attname,⏎  pg_catalog.format_type(a.atttypid, a.atttypmod),⏎  CASE WHEN a.attnum <= (SELECT i.indnkeyatts FROM pg_catalog.pg_index i WHERE i.indexrelid = '16392') THEN 'yes' ELSE 'no' END AS is_key,⏎  pg_catalog.pg_get_indexdef(a.attrelid, a.attnum, TRUE) AS indexdef⏎FROM pg_catalog.pg_attribute a⏎WHERE a.attrelid = '16392' AND a.attnum > 0 AND NOT a.attisdropped⏎ORDER BY a.attnum;
read | SELECT i.indisunique, i.indisprimary, i.indisclustered, i.indisvalid,⏎  (NOT i.indimmediate) AND EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x') AND condeferrable) AS condeferrable,⏎  (NOT i.indimmediate) AND EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x') AND condeferred) AS condeferred,⏎i.indisreplident,⏎i.indnullsnotdistinct,⏎  a.amname, c2.relname, pg_catalog.pg_get_expr(i.indpred, i.indrelid, true)⏎FROM pg_catalog.pg_index i, pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_am a⏎WHERE i.indexrelid = c.oid AND c.oid = '16392' AND c.relam = a.oid⏎AND i.indrelid = c2.oid;
read | SELECT n.nspname as "Schema",⏎  c.relname as "Name",⏎  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type",⏎  pg_catalog.pg_get_userbyid(c.relowner) as "Owner",⏎  CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 't' THEN 'temporary' WHEN 'u' THEN 'unlogged' END as "Persistence",⏎  am.amname as "Access method",⏎  pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)) as "Size",⏎  pg_catalog.obj_description(c.oid, 'pg_class') as "Description"⏎FROM pg_catalog.pg_class c⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace⏎     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam⏎WHERE c.relkind IN ('r','p','')⏎      AND n.nspname <> 'pg_catalog'⏎      AND n.nspname !~ '^pg_toast'⏎      AND n.nspname <> 'information_schema'⏎  AND pg_catalog.pg_table_is_visible(c.oid)⏎ORDER BY 1,2;
read | SELECT n.nspname as "Schema",⏎  c.relname as "Name",⏎  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type",⏎  pg_catalog.pg_get_userbyid(c.relowner) as "Owner"⏎FROM pg_catalog.pg_class c⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace⏎WHERE c.relkind IN ('v','')⏎      AND n.nspname <> 'pg_catalog'⏎      AND n.nspname !~ '^pg_toast'⏎      AND n.nspname <> 'information_schema'⏎  AND pg_catalog.pg_table_is_visible(c.oid)⏎ORDER BY 1,2;
read | SELECT n.nspname as "Schema",⏎  c.relname as "Name",⏎  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type",⏎  pg_catalog.pg_get_userbyid(c.relowner) as "Owner"⏎FROM pg_catalog.pg_class c⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace⏎     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam⏎WHERE c.relkind IN ('m','')⏎      AND n.nspname <> 'pg_catalog'⏎      AND n.nspname !~ '^pg_toast'⏎      AND n.nspname <> 'information_schema'⏎  AND pg_catalog.pg_table_is_visible(c.oid)⏎ORDER BY 1,2;
read | SELECT n.nspname as "Schema",⏎  p.proname as "Name",⏎  pg_catalog.pg_get_function_result(p.oid) as "Result data type",⏎  pg_catalog.pg_get_function_arguments(p.oid) as "Argument data types",⏎ CASE p.prokind⏎  WHEN 'a' THEN 'agg'⏎  WHEN 'w' THEN 'window'⏎  WHEN 'p' THEN 'proc'⏎  ELSE 'func'⏎ END as "Type"⏎FROM pg_catalog.pg_proc p⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace⏎WHERE pg_catalog.pg_function_is_visible(p.oid)⏎      AND n.nspname <> 'pg_catalog'⏎      AND n.nspname <> 'information_schema'⏎ORDER BY 1, 2, 4;
read | SELECT n.nspname as "Schema",⏎  p.proname as "Name",⏎  pg_catalog.pg_get_function_result(p.oid) as "Result data type",⏎  pg_catalog.pg_get_function_arguments(p.oid) as "Argument data types",⏎ CASE p.prokind⏎  WHEN 'a' THEN 'agg'⏎  WHEN 'w' THEN 'window'⏎  WHEN 'p' THEN 'proc'⏎  ELSE 'func'⏎ END as "Type",⏎ CASE⏎  WHEN p.provolatile = 'i' THEN 'immutable'⏎  WHEN p.provolatile = 's' THEN 'stable'⏎  WHEN p.provolatile = 'v' THEN 'volatile'⏎ END as "Volatility",⏎ CASE⏎  WHEN p.proparallel = 'r' THEN 'restricted'⏎  WHEN p.proparallel = 's' THEN 'safe'⏎  WHEN p.proparallel = 'u' THEN 'unsafe'⏎ END as "Parallel",⏎ pg_catalog.pg_get_userbyid(p.proowner) as "Owner",⏎ CASE WHEN prosecdef THEN 'definer' ELSE 'invoker' END AS "Security",⏎ pg_catalog.array_to_string(p.proacl, E'\n') AS "Access privileges",⏎ l.lanname as "Language",⏎ COALESCE(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) as "Source code",⏎ pg_catalog.obj_description(p.oid, 'pg_proc') as "Description"⏎FROM pg_catalog.pg_proc p⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace⏎     LEFT JOIN pg_catalog.pg_language l ON l.oid = p.prolang⏎WHERE p.proname OPERATOR(pg_catalog.~) '^(f_read)$' COLLATE pg_catalog.default⏎  AND pg_catalog.pg_function_is_visible(p.oid)⏎ORDER BY 1, 2, 4;
read | SELECT n.nspname AS "Name",⏎  pg_catalog.pg_get_userbyid(n.nspowner) AS "Owner",⏎  pg_catalog.array_to_string(n.nspacl, E'\n') AS "Access privileges",⏎  pg_catalog.obj_description(n.oid, 'pg_namespace') AS "Description"⏎FROM pg_catalog.pg_namespace n⏎WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'⏎ORDER BY 1;
read | SELECT r.rolname, r.rolsuper, r.rolinherit,⏎  r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,⏎  r.rolconnlimit, r.rolvaliduntil,⏎  ARRAY(SELECT b.rolname⏎        FROM pg_catalog.pg_auth_members m⏎        JOIN pg_catalog.pg_roles b ON (m.roleid = b.oid)⏎        WHERE m.member = r.oid) as memberof⏎, r.rolreplication⏎, r.rolbypassrls⏎FROM pg_catalog.pg_roles r⏎WHERE r.rolname !~ '^pg_'⏎ORDER BY 1;
read error-18{not in this version} | SELECT d.datname as "Name",⏎       pg_catalog.pg_get_userbyid(d.datdba) as "Owner",⏎       pg_catalog.pg_encoding_to_char(d.encoding) as "Encoding",⏎       d.datcollate as "Collate",⏎       d.datctype as "Ctype",⏎       d.daticulocale as "ICU Locale",⏎       CASE d.datlocprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' END AS "Locale Provider",⏎       pg_catalog.array_to_string(d.datacl, E'\n') AS "Access privileges"⏎FROM pg_catalog.pg_database d⏎ORDER BY 1;
read | SELECT n.nspname as "Schema",⏎  pg_catalog.format_type(t.oid, NULL) AS "Name",⏎  pg_catalog.obj_description(t.oid, 'pg_type') as "Description"⏎FROM pg_catalog.pg_type t⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace⏎WHERE (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid))⏎  AND NOT EXISTS(SELECT 1 FROM pg_catalog.pg_type el WHERE el.oid = t.typelem AND el.typarray = t.oid)⏎      AND n.nspname <> 'pg_catalog'⏎      AND n.nspname <> 'information_schema'⏎  AND pg_catalog.pg_type_is_visible(t.oid)⏎ORDER BY 1, 2;
read | SELECT pg_catalog.format_type(castsource, NULL) AS "Source type",⏎       pg_catalog.format_type(casttarget, NULL) AS "Target type",⏎       CASE WHEN c.castmethod = 'b' THEN '(binary coercible)'⏎            WHEN c.castmethod = 'i' THEN '(with inout)'⏎            ELSE p.proname⏎       END AS "Function",⏎       CASE WHEN c.castcontext = 'e' THEN 'no'⏎            WHEN c.castcontext = 'a' THEN 'in assignment'⏎            ELSE 'yes'⏎       END AS "Implicit?"⏎FROM pg_catalog.pg_cast c LEFT JOIN pg_catalog.pg_proc p⏎     ON c.castfunc = p.oid⏎     LEFT JOIN pg_catalog.pg_type ts⏎     ON c.castsource = ts.oid⏎     LEFT JOIN pg_catalog.pg_namespace ns⏎     ON ns.oid = ts.typnamespace⏎     LEFT JOIN pg_catalog.pg_type tt⏎     ON c.casttarget = tt.oid⏎     LEFT JOIN pg_catalog.pg_namespace nt⏎     ON nt.oid = tt.typnamespace⏎WHERE ( (true  AND (ts.typname OPERATOR(pg_catalog.~) '^(text)$' COLLATE pg_catalog.default⏎        OR pg_catalog.format_type(ts.oid, NULL) OPERATOR(pg_catalog.~) '^(text)$' COLLATE pg_catalog.default)⏎  AND pg_catalog.pg_type_is_visible(ts.oid)⏎) OR (true  AND (tt.typname OPERATOR(pg_catalog.~) '^(text)$' COLLATE pg_catalog.default⏎        OR pg_catalog.format_type(tt.oid, NULL) OPERATOR(pg_catalog.~) '^(text)$' COLLATE pg_catalog.default)⏎  AND pg_catalog.pg_type_is_visible(tt.oid)⏎) )⏎ORDER BY 1, 2;
read | SELECT e.extname AS "Name", e.extversion AS "Version", n.nspname AS "Schema", c.description AS "Description"⏎FROM pg_catalog.pg_extension e LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace LEFT JOIN pg_catalog.pg_description c ON c.objoid = e.oid AND c.classoid = 'pg_catalog.pg_extension'::pg_catalog.regclass⏎ORDER BY 1;
read | SELECT evtname as "Name", evtevent as "Event", pg_catalog.pg_get_userbyid(e.evtowner) as "Owner",⏎ case evtenabled when 'O' then 'enabled'  when 'R' then 'replica'  when 'A' then 'always'  when 'D' then 'disabled' end as "Enabled",⏎ e.evtfoid::pg_catalog.regproc as "Function", pg_catalog.array_to_string(array(select x from pg_catalog.unnest(evttags) as t(x)), ', ') as "Tags"⏎FROM pg_catalog.pg_event_trigger e ORDER BY 1
read | SELECT n.nspname as "Schema",⏎       t.typname as "Name",⏎       pg_catalog.format_type(t.typbasetype, t.typtypmod) as "Type",⏎       (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type bt⏎        WHERE c.oid = t.typcollation AND bt.oid = t.typbasetype AND t.typcollation <> bt.typcollation) as "Collation",⏎       CASE WHEN t.typnotnull THEN 'not null' END as "Nullable",⏎       t.typdefault as "Default",⏎       pg_catalog.array_to_string(ARRAY(⏎         SELECT pg_catalog.pg_get_constraintdef(r.oid, true) FROM pg_catalog.pg_constraint r WHERE t.oid = r.contypid⏎       ), ' ') as "Check"⏎FROM pg_catalog.pg_type t⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace⏎WHERE t.typtype = 'd'⏎      AND n.nspname <> 'pg_catalog'⏎      AND n.nspname <> 'information_schema'⏎  AND pg_catalog.pg_type_is_visible(t.oid)⏎ORDER BY 1, 2;
read | SELECT s.srvname AS "Name",⏎  pg_catalog.pg_get_userbyid(s.srvowner) AS "Owner",⏎  f.fdwname AS "Foreign-data wrapper"⏎FROM pg_catalog.pg_foreign_server s⏎     JOIN pg_catalog.pg_foreign_data_wrapper f ON f.oid=s.srvfdw⏎ORDER BY 1;
read | SELECT⏎   n.nspname as "Schema",⏎   c.cfgname as "Name",⏎   pg_catalog.obj_description(c.oid, 'pg_ts_config') as "Description"⏎FROM pg_catalog.pg_ts_config c⏎LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace⏎WHERE pg_catalog.pg_ts_config_is_visible(c.oid)⏎ORDER BY 1, 2;
read | SELECT n.nspname as "Schema",⏎  o.oprname AS "Name",⏎  CASE WHEN o.oprkind='l' THEN NULL ELSE pg_catalog.format_type(o.oprleft, NULL) END AS "Left arg type",⏎  CASE WHEN o.oprkind='r' THEN NULL ELSE pg_catalog.format_type(o.oprright, NULL) END AS "Right arg type",⏎  pg_catalog.format_type(o.oprresult, NULL) AS "Result type",⏎  coalesce(pg_catalog.obj_description(o.oid, 'pg_operator'),⏎           pg_catalog.obj_description(o.oprcode, 'pg_proc')) AS "Description"⏎FROM pg_catalog.pg_operator o⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace⏎WHERE o.oprname OPERATOR(pg_catalog.~) '^(=)$' COLLATE pg_catalog.default⏎  AND pg_catalog.pg_operator_is_visible(o.oid)⏎ORDER BY 1, 2, 3, 4;
read | SELECT spcname AS "Name",⏎  pg_catalog.pg_get_userbyid(spcowner) AS "Owner",⏎  pg_catalog.pg_tablespace_location(oid) AS "Location"⏎FROM pg_catalog.pg_tablespace⏎ORDER BY 1;
read | SELECT s.name AS "Parameter", pg_catalog.current_setting(s.name) AS "Value"⏎FROM pg_catalog.pg_settings s⏎WHERE pg_catalog.lower(s.name) OPERATOR(pg_catalog.~) '^(work_mem)$' COLLATE pg_catalog.default⏎ORDER BY 1;
read | SELECT pg_catalog.pg_get_functiondef(16413)
read | SELECT nspname, relname, relkind, pg_catalog.pg_get_viewdef(c.oid, true), pg_catalog.array_remove(pg_catalog.array_remove(c.reloptions,'check_option=local'),'check_option=cascaded') AS reloptions, CASE WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL'::text WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED'::text ELSE NULL END AS checkoption FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid WHERE c.oid = 16403
read | SELECT pg_catalog.pg_get_userbyid(d.defaclrole) AS "Owner",⏎  n.nspname AS "Schema",⏎  CASE d.defaclobjtype WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'function' WHEN 'T' THEN 'type' WHEN 'n' THEN 'schema' END AS "Type",⏎  pg_catalog.array_to_string(d.defaclacl, E'\n') AS "Access privileges"⏎FROM pg_catalog.pg_default_acl d⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace⏎ORDER BY 1, 2, 3;
read | SELECT pubname AS "Name",⏎  pg_catalog.pg_get_userbyid(pubowner) AS "Owner",⏎  puballtables AS "All tables",⏎  pubinsert AS "Inserts",⏎  pubupdate AS "Updates",⏎  pubdelete AS "Deletes",⏎  pubtruncate AS "Truncates",⏎  pubviaroot AS "Via root"⏎FROM pg_catalog.pg_publication⏎ORDER BY 1;
read | SELECT subname AS "Name"⏎,  pg_catalog.pg_get_userbyid(subowner) AS "Owner"⏎,  subenabled AS "Enabled"⏎,  subpublications AS "Publication"⏎FROM pg_catalog.pg_subscription⏎WHERE subdbid = (SELECT oid⏎                 FROM pg_catalog.pg_database⏎                 WHERE datname = pg_catalog.current_database())ORDER BY 1;
read | SELECT l.lanname AS "Name",⏎       pg_catalog.pg_get_userbyid(l.lanowner) as "Owner",⏎       l.lanpltrusted AS "Trusted",⏎       d.description AS "Description"⏎FROM pg_catalog.pg_language l⏎LEFT JOIN pg_catalog.pg_description d⏎  ON d.classoid = l.tableoid AND d.objoid = l.oid⏎  AND d.objsubid = 0⏎WHERE l.lanplcallfoid != 0⏎ORDER BY 1;
read error-18{not in this version} | SELECT n.nspname AS "Schema",⏎       c.collname AS "Name",⏎       c.collcollate AS "Collate",⏎       c.collctype AS "Ctype",⏎       c.colliculocale AS "ICU Locale",⏎       CASE c.collprovider WHEN 'd' THEN 'default' WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' END AS "Provider",⏎       CASE WHEN c.collisdeterministic THEN 'yes' ELSE 'no' END AS "Deterministic?"⏎FROM pg_catalog.pg_collation c, pg_catalog.pg_namespace n⏎WHERE n.oid = c.collnamespace⏎      AND n.nspname <> 'pg_catalog'⏎      AND n.nspname <> 'information_schema'⏎      AND c.collencoding IN (-1, pg_catalog.pg_char_to_encoding(pg_catalog.getdatabaseencoding()))⏎  AND pg_catalog.pg_collation_is_visible(c.oid)⏎ORDER BY 1, 2;
read | SELECT⏎  am.amname AS "AM",⏎  pg_catalog.format_type(c.opcintype, NULL) AS "Input type",⏎  CASE⏎    WHEN c.opckeytype <> 0 AND c.opckeytype <> c.opcintype⏎    THEN pg_catalog.format_type(c.opckeytype, NULL)⏎    ELSE NULL⏎  END AS "Storage type",⏎  CASE⏎    WHEN pg_catalog.pg_opclass_is_visible(c.oid)⏎    THEN pg_catalog.format('%I', c.opcname)⏎    ELSE pg_catalog.format('%I.%I', n.nspname, c.opcname)⏎  END AS "Operator class",⏎  (CASE WHEN c.opcdefault⏎    THEN 'yes'⏎    ELSE 'no'⏎  END) AS "Default?"⏎FROM pg_catalog.pg_opclass c⏎  LEFT JOIN pg_catalog.pg_am am on am.oid = c.opcmethod⏎  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace⏎  LEFT JOIN pg_catalog.pg_type t ON t.oid = c.opcintype⏎  LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace⏎ORDER BY 1, 2, 4;
read | SELECT ⏎es.stxnamespace::pg_catalog.regnamespace::pg_catalog.text AS "Schema", ⏎es.stxname AS "Name", ⏎pg_catalog.format('%s FROM %s', ⏎  pg_catalog.pg_get_statisticsobjdef_columns(es.oid), ⏎  es.stxrelid::pg_catalog.regclass) AS "Definition",⏎CASE WHEN 'd' = any(es.stxkind) THEN 'defined' ⏎END AS "Ndistinct", ⏎CASE WHEN 'f' = any(es.stxkind) THEN 'defined' ⏎END AS "Dependencies",⏎CASE WHEN 'm' = any(es.stxkind) THEN 'defined' ⏎END AS "MCV"  ⏎FROM pg_catalog.pg_statistic_ext es ⏎WHERE pg_catalog.pg_statistics_obj_is_visible(es.oid)⏎ORDER BY 1, 2;
read | SELECT rolname AS "Role", datname AS "Database",⏎pg_catalog.array_to_string(setconfig, E'\n') AS "Settings"⏎FROM pg_catalog.pg_db_role_setting s⏎LEFT JOIN pg_catalog.pg_database d ON d.oid = setdatabase⏎LEFT JOIN pg_catalog.pg_roles r ON r.oid = setrole⏎ORDER BY 1, 2;
read | SELECT r.rolname, r.rolsuper, r.rolinherit,⏎  r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,⏎  r.rolconnlimit, r.rolvaliduntil,⏎  ARRAY(SELECT b.rolname⏎        FROM pg_catalog.pg_auth_members m⏎        JOIN pg_catalog.pg_roles b ON (m.roleid = b.oid)⏎        WHERE m.member = r.oid) as memberof⏎, pg_catalog.shobj_description(r.oid, 'pg_authid') AS description⏎, r.rolreplication⏎, r.rolbypassrls⏎FROM pg_catalog.pg_roles r⏎WHERE r.rolname !~ '^pg_'⏎ORDER BY 1;
read | SELECT n.nspname as "Schema",⏎  p.proname AS "Name",⏎  pg_catalog.format_type(p.prorettype, NULL) AS "Result data type",⏎  CASE WHEN p.pronargs = 0⏎    THEN CAST('*' AS pg_catalog.text)⏎    ELSE pg_catalog.pg_get_function_arguments(p.oid)⏎  END AS "Argument data types",⏎  pg_catalog.obj_description(p.oid, 'pg_proc') as "Description"⏎FROM pg_catalog.pg_proc p⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace⏎WHERE p.prokind = 'a'⏎  AND p.proname OPERATOR(pg_catalog.~) '^(sum)$' COLLATE pg_catalog.default⏎  AND pg_catalog.pg_function_is_visible(p.oid)⏎ORDER BY 1, 2, 4;
read | SELECT n.nspname as "Schema",⏎  c.relname as "Name",⏎  pg_catalog.pg_get_userbyid(c.relowner) as "Owner",⏎  CASE c.relkind WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type",⏎ c2.oid::pg_catalog.regclass as "Table"⏎FROM pg_catalog.pg_class c⏎     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace⏎     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid⏎     LEFT JOIN pg_catalog.pg_class c2 ON i.indrelid = c2.oid⏎WHERE c.relkind IN ('p','I','')⏎ AND NOT c.relispartition⏎      AND n.nspname <> 'pg_catalog'⏎      AND n.nspname !~ '^pg_toast'⏎      AND n.nspname <> 'information_schema'⏎  AND pg_catalog.pg_table_is_visible(c.oid)⏎ORDER BY "Schema", "Type" DESC, "Name";
read | SELECT amname AS "Name",⏎  CASE amtype WHEN 'i' THEN 'Index' WHEN 't' THEN 'Table' END AS "Type",⏎  amhandler AS "Handler",⏎  pg_catalog.obj_description(oid, 'pg_am') AS "Description"⏎FROM pg_catalog.pg_am⏎ORDER BY 1;
# --- as pg_dump emits them ---------------------------------------------------------------------------------------------------
read | SELECT pg_catalog.pg_is_in_recovery()
session silent{leaves state in the session} | SET DATESTYLE = ISO
session silent{leaves state in the session} | SET INTERVALSTYLE = POSTGRES
session silent{leaves state in the session} | SET extra_float_digits TO 3
session silent{leaves state in the session} | SET synchronize_seqscans TO off
session silent{leaves state in the session} | SET statement_timeout = 0
session silent{leaves state in the session} | SET lock_timeout = 0
session silent{leaves state in the session} | SET idle_in_transaction_session_timeout = 0
session silent{leaves state in the session} | SET row_security = off
session silent{leaves state in the session} | SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'
write silent{works on its server} | SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY
read | SELECT oid FROM pg_catalog.pg_namespace n⏎WHERE n.nspname OPERATOR(pg_catalog.~) '^(corpus)$' COLLATE pg_catalog.default
read | SELECT oid, rolname FROM pg_catalog.pg_roles ORDER BY 1
read | SELECT x.tableoid, x.oid, x.extname, n.nspname, x.extrelocatable, x.extversion, x.extconfig, x.extcondition FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
read | SELECT classid, objid, refobjid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' ORDER BY 3
read | SELECT n.tableoid, n.oid, n.nspname, n.nspowner, n.nspacl, acldefault('n', n.nspowner) AS acldefault FROM pg_namespace n
read | SELECT p.tableoid, p.oid, p.proname, p.prolang, p.pronargs, p.proargtypes, p.prorettype, p.proacl, acldefault('f', p.proowner) AS acldefault, p.pronamespace, p.proowner FROM pg_proc p LEFT JOIN pg_init_privs pip ON (p.oid = pip.objoid AND pip.classoid = 'pg_proc'::regclass AND pip.objsubid = 0) WHERE p.prokind <> 'a'⏎  AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'i')⏎  AND (⏎  pronamespace != (SELECT oid FROM pg_namespace WHERE nspname = 'pg_catalog')⏎  OR EXISTS (SELECT 1 FROM pg_cast⏎  WHERE pg_cast.oid > 16383 ⏎  AND p.oid = pg_cast.castfunc)⏎  OR EXISTS (SELECT 1 FROM pg_transform⏎  WHERE pg_transform.oid > 16383 AND ⏎  (p.oid = pg_transform.trffromsql⏎  OR p.oid = pg_transform.trftosql))⏎  OR p.proacl IS DISTINCT FROM pip.initprivs)
read | SELECT tableoid, oid, typname, typnamespace, typacl, acldefault('T', typowner) AS acldefault, typowner, typelem, typrelid, CASE WHEN typrelid = 0 THEN ' '::"char" ELSE (SELECT relkind FROM pg_class WHERE oid = typrelid) END AS typrelkind, typtype, typisdefined, typname[0] = '_' AND typelem != 0 AND (SELECT typarray FROM pg_type te WHERE oid = pg_type.typelem) = oid AS isarray FROM pg_type
read | SELECT tableoid, oid, lanname, lanpltrusted, lanplcallfoid, laninline, lanvalidator, lanacl, acldefault('l', lanowner) AS acldefault, lanowner FROM pg_language WHERE lanispl ORDER BY oid
read | SELECT p.tableoid, p.oid, p.proname AS aggname, p.pronamespace AS aggnamespace, p.pronargs, p.proargtypes, p.proowner, p.proacl AS aggacl, acldefault('f', p.proowner) AS acldefault FROM pg_proc p LEFT JOIN pg_init_privs pip ON (p.oid = pip.objoid AND pip.classoid = 'pg_proc'::regclass AND pip.objsubid = 0) WHERE p.prokind = 'a' AND (p.pronamespace != (SELECT oid FROM pg_namespace WHERE nspname = 'pg_catalog') OR p.proacl IS DISTINCT FROM pip.initprivs)
read | SELECT tableoid, oid, oprname, oprnamespace, oprowner, oprkind, oprleft, oprright, oprcode::oid AS oprcode FROM pg_operator
read | SELECT tableoid, oid, amname, amtype, amhandler::pg_catalog.regproc AS amhandler FROM pg_am
read | SELECT tableoid, oid, opcmethod, opcname, opcnamespace, opcowner FROM pg_opclass
read | SELECT tableoid, oid, opfmethod, opfname, opfnamespace, opfowner FROM pg_opfamily
read | SELECT tableoid, oid, prsname, prsnamespace, prsstart::oid, prstoken::oid, prsend::oid, prsheadline::oid, prslextype::oid FROM pg_ts_parser
read | SELECT tableoid, oid, tmplname, tmplnamespace, tmplinit::oid, tmpllexize::oid FROM pg_ts_template
read | SELECT tableoid, oid, dictname, dictnamespace, dictowner, dicttemplate, dictinitoption FROM pg_ts_dict
read | SELECT tableoid, oid, cfgname, cfgnamespace, cfgowner, cfgparser FROM pg_ts_config
read | SELECT tableoid, oid, fdwname, fdwowner, fdwhandler::pg_catalog.regproc, fdwvalidator::pg_catalog.regproc, fdwacl, acldefault('F', fdwowner) AS acldefault, array_to_string(ARRAY(SELECT quote_ident(option_name) || ' ' || quote_literal(option_value) FROM pg_options_to_table(fdwoptions) ORDER BY option_name), E',⏎    ') AS fdwoptions FROM pg_foreign_data_wrapper
read | SELECT tableoid, oid, srvname, srvowner, srvfdw, srvtype, srvversion, srvacl, acldefault('S', srvowner) AS acldefault, array_to_string(ARRAY(SELECT quote_ident(option_name) || ' ' || quote_literal(option_value) FROM pg_options_to_table(srvoptions) ORDER BY option_name), E',⏎    ') AS srvoptions FROM pg_foreign_server
read | SELECT oid, tableoid, defaclrole, defaclnamespace, defaclobjtype, defaclacl, CASE WHEN defaclnamespace = 0 THEN acldefault(CASE WHEN defaclobjtype = 'S' THEN 's'::"char" ELSE defaclobjtype END, defaclrole) ELSE '{}' END AS acldefault FROM pg_default_acl
read | SELECT tableoid, oid, collname, collnamespace, collowner, collencoding FROM pg_collation
read | SELECT tableoid, oid, conname, connamespace, conowner FROM pg_conversion
read | SELECT tableoid, oid, castsource, casttarget, castfunc, castcontext, castmethod FROM pg_cast c WHERE NOT EXISTS ( SELECT 1 FROM pg_range r WHERE c.castsource = r.rngtypid AND c.casttarget = r.rngmultitypid ) ORDER BY 3,4
read | SELECT tableoid, oid, trftype, trflang, trffromsql::oid, trftosql::oid FROM pg_transform ORDER BY 3,4
read | SELECT inhrelid, inhparent FROM pg_inherits
read | SELECT e.tableoid, e.oid, evtname, evtenabled, evtevent, evtowner, array_to_string(array(select quote_literal(x)  from unnest(evttags) as t(x)), ', ') as evttags, e.evtfoid::regproc as evtfname FROM pg_event_trigger e ORDER BY e.oid
read | SELECT conrelid, confrelid FROM pg_constraint JOIN pg_depend ON (objid = confrelid) WHERE contype = 'f' AND refclassid = 'pg_extension'::regclass AND classid = 'pg_class'::regclass;
read | SELECT⏎a.attrelid,⏎a.attnum,⏎a.attname,⏎a.atttypmod,⏎a.attstattarget,⏎a.attstorage,⏎t.typstorage,⏎a.attnotnull,⏎a.atthasdef,⏎a.attisdropped,⏎a.attlen,⏎a.attalign,⏎a.attislocal,⏎pg_catalog.format_type(t.oid, a.atttypmod) AS atttypname,⏎array_to_string(ARRAY(⏎  SELECT o FROM unnest(a.attoptions) o⏎  WHERE substr(o, 1, 10) <> 'pg_attver='⏎), ', ') AS attoptions,⏎(⏎  SELECT substr(o, 10 + 1)⏎  FROM unnest(a.attoptions) o⏎  WHERE substr(o, 1, 10) = 'pg_attver='⏎) AS attversion,⏎CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation ELSE 0 END AS attcollation,⏎pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.quote_ident(option_name) || ' ' || pg_catalog.quote_literal(option_value) FROM pg_catalog.pg_options_to_table(attfdwoptions) ORDER BY option_name), E',⏎    ') AS attfdwoptions,⏎a.attcompression AS attcompression,⏎a.attidentity,⏎CASE WHEN a.atthasmissing AND NOT a.attisdropped THEN a.attmissingval ELSE null END AS attmissingval,⏎a.attgenerated⏎FROM unnest('{16386,16394,16399,16403,16407,16417}'::pg_catalog.oid[]) AS src(tbloid)⏎JOIN pg_catalog.pg_attribute a ON (src.tbloid = a.attrelid) LEFT JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid)⏎WHERE a.attnum > 0::pg_catalog.int2⏎ORDER BY a.attrelid, a.attnum
read | SELECT a.tableoid, a.oid, adrelid, adnum, pg_catalog.pg_get_expr(adbin, adrelid) AS adsrc⏎FROM unnest('{16386}'::pg_catalog.oid[]) AS src(tbloid)⏎JOIN pg_catalog.pg_attrdef a ON (src.tbloid = a.adrelid)⏎ORDER BY a.adrelid, a.adnum
read | SELECT partrelid FROM pg_partitioned_table WHERE⏎(SELECT c.oid FROM pg_opclass c JOIN pg_am a ON c.opcmethod = a.oid⏎WHERE opcname = 'enum_ops' AND opcnamespace = 'pg_catalog'::regnamespace AND amname = 'hash') = ANY(partclass)
read | SELECT t.tableoid, t.oid, i.indrelid, t.relname AS indexname, pg_catalog.pg_get_indexdef(i.indexrelid) AS indexdef, i.indkey, i.indisclustered, c.contype, c.conname, c.condeferrable, c.condeferred, c.tableoid AS contableoid, c.oid AS conoid, pg_catalog.pg_get_constraintdef(c.oid, false) AS condef, (SELECT spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = t.reltablespace) AS tablespace, t.reloptions AS indreloptions, i.indisreplident, inh.inhparent AS parentidx, i.indnkeyatts AS indnkeyatts, i.indnatts AS indnatts, (SELECT pg_catalog.array_agg(attnum ORDER BY attnum)   FROM pg_catalog.pg_attribute   WHERE attrelid = i.indexrelid AND     attstattarget >= 0) AS indstatcols, (SELECT pg_catalog.array_agg(attstattarget ORDER BY attnum)   FROM pg_catalog.pg_attribute   WHERE attrelid = i.indexrelid AND     attstattarget >= 0) AS indstatvals, i.indnullsnotdistinct FROM unnest('{16386,16394}'::pg_catalog.oid[]) AS src(tbloid)⏎JOIN pg_catalog.pg_index i ON (src.tbloid = i.indrelid) JOIN pg_catalog.pg_class t ON (t.oid = i.indexrelid) JOIN pg_catalog.pg_class t2 ON (t2.oid = i.indrelid) LEFT JOIN pg_catalog.pg_constraint c ON (i.indrelid = c.conrelid AND i.indexrelid = c.conindid AND c.contype IN ('p','u','x')) LEFT JOIN pg_catalog.pg_inherits inh ON (inh.inhrelid = indexrelid) WHERE (i.indisvalid OR t2.relkind = 'p') AND i.indisready ORDER BY i.indrelid, indexname
read | SELECT tableoid, oid, stxname, stxnamespace, stxowner, stxrelid, stxstattarget FROM pg_catalog.pg_statistic_ext
read | SELECT c.tableoid, c.oid, conrelid, conname, confrelid, conindid, pg_catalog.pg_get_constraintdef(c.oid) AS condef⏎FROM unnest('{}'::pg_catalog.oid[]) AS src(tbloid)⏎JOIN pg_catalog.pg_constraint c ON (src.tbloid = c.conrelid)⏎WHERE contype = 'f' AND conparentid = 0 ORDER BY conrelid, conname
read | SELECT t.tgrelid, t.tgname, t.tgfoid::pg_catalog.regproc AS tgfname, pg_catalog.pg_get_triggerdef(t.oid, false) AS tgdef, t.tgenabled, t.tableoid, t.oid, t.tgparentid <> 0 AS tgispartition⏎FROM unnest('{}'::pg_catalog.oid[]) AS src(tbloid)⏎JOIN pg_catalog.pg_trigger t ON (src.tbloid = t.tgrelid) LEFT JOIN pg_catalog.pg_trigger u ON (u.oid = t.tgparentid) WHERE ((NOT t.tgisinternal AND t.tgparentid = 0) OR t.tgenabled != u.tgenabled) ORDER BY t.tgrelid, t.tgname
read | SELECT tableoid, oid, rulename, ev_class AS ruletable, ev_type, is_instead, ev_enabled FROM pg_rewrite ORDER BY oid
read | SELECT pol.oid, pol.tableoid, pol.polrelid, pol.polname, pol.polcmd, pol.polpermissive, CASE WHEN pol.polroles = '{0}' THEN NULL ELSE    pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.quote_ident(rolname) from pg_catalog.pg_roles WHERE oid = ANY(pol.polroles)), ', ') END AS polroles, pg_catalog.pg_get_expr(pol.polqual, pol.polrelid) AS polqual, pg_catalog.pg_get_expr(pol.polwithcheck, pol.polrelid) AS polwithcheck FROM unnest('{16386,16394,16399}'::pg_catalog.oid[]) AS src(tbloid)⏎JOIN pg_catalog.pg_policy pol ON (src.tbloid = pol.polrelid)
read | SELECT p.tableoid, p.oid, p.pubname, p.pubowner, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot FROM pg_publication p
read | SELECT tableoid, oid, prpubid, prrelid, pg_catalog.pg_get_expr(prqual, prrelid) AS prrelqual, (CASE⏎  WHEN pr.prattrs IS NOT NULL THEN⏎    (SELECT array_agg(attname)⏎       FROM⏎         pg_catalog.generate_series(0, pg_catalog.array_upper(pr.prattrs::pg_catalog.int2[], 1)) s,⏎         pg_catalog.pg_attribute⏎      WHERE attrelid = pr.prrelid AND attnum = prattrs[s])⏎  ELSE NULL END) prattrs FROM pg_catalog.pg_publication_rel pr
read | SELECT tableoid, oid, pnpubid, pnnspid FROM pg_catalog.pg_publication_namespace
read | SELECT s.tableoid, s.oid, s.subname,⏎ s.subowner,⏎ s.subconninfo, s.subslotname, s.subsynccommit,⏎ s.subpublications,⏎ s.subbinary,⏎ s.substream,⏎ s.subtwophasestate,⏎ s.subdisableonerr⏎FROM pg_subscription s⏎WHERE s.subdbid = (SELECT oid FROM pg_database⏎                   WHERE datname = current_database())
read | WITH RECURSIVE w AS ( SELECT d1.objid, d2.refobjid, c2.relkind AS refrelkind FROM pg_depend d1 JOIN pg_class c1 ON c1.oid = d1.objid AND c1.relkind = 'm' JOIN pg_rewrite r1 ON r1.ev_class = d1.objid JOIN pg_depend d2 ON d2.classid = 'pg_rewrite'::regclass AND d2.objid = r1.oid AND d2.refobjid <> d1.objid JOIN pg_class c2 ON c2.oid = d2.refobjid AND c2.relkind IN ('m','v') WHERE d1.classid = 'pg_class'::regclass UNION SELECT w.objid, d3.refobjid, c3.relkind FROM w JOIN pg_rewrite r3 ON r3.ev_class = w.refobjid JOIN pg_depend d3 ON d3.classid = 'pg_rewrite'::regclass AND d3.objid = r3.oid AND d3.refobjid <> w.refobjid JOIN pg_class c3 ON c3.oid = d3.refobjid AND c3.relkind IN ('m','v') ) SELECT 'pg_class'::regclass::oid AS classid, objid, refobjid FROM w WHERE refrelkind = 'm'
read | SELECT classid, objid, refclassid, refobjid, deptype FROM pg_depend WHERE deptype != 'p' AND deptype != 'e'⏎UNION ALL⏎SELECT 'pg_opfamily'::regclass AS classid, amopfamily AS objid, refclassid, refobjid, deptype FROM pg_depend d, pg_amop o WHERE deptype NOT IN ('p', 'e', 'i') AND classid = 'pg_amop'::regclass AND objid = o.oid AND NOT (refclassid = 'pg_opfamily'::regclass AND amopfamily = refobjid)⏎UNION ALL⏎SELECT 'pg_opfamily'::regclass AS classid, amprocfamily AS objid, refclassid, refobjid, deptype FROM pg_depend d, pg_amproc p WHERE deptype NOT IN ('p', 'e', 'i') AND classid = 'pg_amproc'::regclass AND objid = p.oid AND NOT (refclassid = 'pg_opfamily'::regclass AND amprocfamily = refobjid)⏎ORDER BY 1,2
read | SELECT DISTINCT attrelid FROM pg_attribute WHERE attacl IS NOT NULL
read | SELECT objoid, classoid, objsubid, privtype, initprivs FROM pg_init_privs
read | SELECT description, classoid, objoid, objsubid FROM pg_catalog.pg_description ORDER BY classoid, objoid, objsubid
read | SELECT label, provider, classoid, objoid, objsubid FROM pg_catalog.pg_seclabels ORDER BY classoid, objoid, objsubid
read | SELECT pg_catalog.current_schemas(false)
session silent{leaves state in the session} | PREPARE dumpFunc(pg_catalog.oid) AS⏎SELECT⏎proretset,⏎prosrc,⏎probin,⏎provolatile,⏎proisstrict,⏎prosecdef,⏎lanname,⏎proconfig,⏎procost,⏎prorows,⏎pg_catalog.pg_get_function_arguments(p.oid) AS funcargs,⏎pg_catalog.pg_get_function_identity_arguments(p.oid) AS funciargs,⏎pg_catalog.pg_get_function_result(p.oid) AS funcresult,⏎proleakproof,⏎array_to_string(protrftypes, ' ') AS protrftypes,⏎proparallel,⏎prokind,⏎prosupport,⏎pg_get_function_sqlbody(p.oid) AS prosqlbody⏎FROM pg_catalog.pg_proc p, pg_catalog.pg_language l⏎WHERE p.oid = $1 AND l.oid = p.prolang
read | SELECT pg_catalog.pg_get_viewdef('16407'::pg_catalog.oid) AS viewdef
read | SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '16402'::oid
read | SELECT last_value, is_called FROM corpus.s
read | SELECT last_value, is_called FROM corpus.t_id_seq
session since-18 silent{leaves state in the session} | SET transaction_timeout = 0
read | SELECT tableoid, oid, typname, typnamespace, typacl, acldefault('T', typowner) AS acldefault, typowner, typelem, typrelid, typarray, CASE WHEN typrelid = 0 THEN ' '::"char" ELSE (SELECT relkind FROM pg_class WHERE oid = typrelid) END AS typrelkind, typtype, typisdefined, typname[0] = '_' AND typelem != 0 AND (SELECT typarray FROM pg_type te WHERE oid = pg_type.typelem) = oid AS isarray FROM pg_type
read | SELECT⏎a.attrelid,⏎a.attnum,⏎a.attname,⏎a.attstattarget,⏎a.attstorage,⏎t.typstorage,⏎a.atthasdef,⏎a.attisdropped,⏎a.attlen,⏎a.attalign,⏎a.attislocal,⏎pg_catalog.format_type(t.oid, a.atttypmod) AS atttypname,⏎array_to_string(a.attoptions, ', ') AS attoptions,⏎CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation ELSE 0 END AS attcollation,⏎pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.quote_ident(option_name) || ' ' || pg_catalog.quote_literal(option_value) FROM pg_catalog.pg_options_to_table(attfdwoptions) ORDER BY option_name), E',⏎    ') AS attfdwoptions,⏎co.conname AS notnull_name,⏎CASE WHEN co.convalidated THEN pt.description ELSE NULL END AS notnull_comment,⏎CASE WHEN NOT co.convalidated THEN co.oid ELSE NULL END AS notnull_invalidoid,⏎co.connoinherit AS notnull_noinherit,⏎co.conislocal AS notnull_islocal,⏎a.attcompression AS attcompression,⏎a.attidentity,⏎CASE WHEN a.atthasmissing AND NOT a.attisdropped THEN a.attmissingval ELSE null END AS attmissingval,⏎a.attgenerated⏎FROM unnest('{16386,16395,16401,16405,16409,16424}'::pg_catalog.oid[]) AS src(tbloid)⏎JOIN pg_catalog.pg_attribute a ON (src.tbloid = a.attrelid) LEFT JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid)⏎ LEFT JOIN pg_catalog.pg_constraint co ON (a.attrelid = co.conrelid⏎   AND co.contype = 'n' AND co.conkey = array[a.attnum])⏎ LEFT JOIN pg_catalog.pg_description pt ON (pt.classoid = co.tableoid AND pt.objoid = co.oid)⏎WHERE a.attnum > 0::pg_catalog.int2⏎ORDER BY a.attrelid, a.attnum
read | SELECT t.tgrelid, t.tgname, pg_catalog.pg_get_triggerdef(t.oid, false) AS tgdef, t.tgenabled, t.tableoid, t.oid, t.tgparentid <> 0 AS tgispartition⏎FROM unnest('{}'::pg_catalog.oid[]) AS src(tbloid)⏎JOIN pg_catalog.pg_trigger t ON (src.tbloid = t.tgrelid) LEFT JOIN pg_catalog.pg_trigger u ON (u.oid = t.tgparentid) WHERE ((NOT t.tgisinternal AND t.tgparentid = 0) OR t.tgenabled != u.tgenabled) ORDER BY t.tgrelid, t.tgname
read since-18 | SELECT p.tableoid, p.oid, p.pubname, p.pubowner, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot, p.pubgencols FROM pg_publication p
read since-18 | SELECT s.tableoid, s.oid, s.subname,⏎ s.subowner,⏎ s.subconninfo, s.subslotname, s.subsynccommit,⏎ s.subpublications,⏎ s.subbinary,⏎ s.substream,⏎ s.subtwophasestate,⏎ s.subdisableonerr,⏎ s.subpasswordrequired,⏎ s.subrunasowner,⏎ s.suborigin,⏎ NULL AS suboriginremotelsn,⏎ false AS subenabled,⏎ s.subfailover⏎FROM pg_subscription s⏎WHERE s.subdbid = (SELECT oid FROM pg_database⏎                   WHERE datname = current_database())
read since-18 | SELECT seqrelid, format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle, last_value, is_called FROM pg_catalog.pg_sequence, pg_get_sequence_data(seqrelid) ORDER BY seqrelid;
# --- as SQLAlchemy emits them ------------------------------------------------------------------------------------------------
read | show transaction isolation level
read | SELECT⏎    typname AS name, oid, typarray AS array_oid,⏎    oid::regtype::text AS regtype, typdelim AS delimiter⏎FROM pg_type t⏎WHERE t.oid = to_regtype('hstore')⏎ORDER BY t.oid
read | SELECT pg_catalog.pg_class.relname ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR]) AND pg_catalog.pg_class.relpersistence != 't'::VARCHAR AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR
read | SELECT pg_catalog.pg_class.relname ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['S'::VARCHAR]) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR
read | SELECT pg_catalog.pg_class.relname ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR]) AND pg_catalog.pg_class.relpersistence != 't'::VARCHAR AND pg_catalog.pg_namespace.nspname = 'corpus'::VARCHAR
read | SELECT pg_catalog.pg_class.relname ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['S'::VARCHAR]) AND pg_catalog.pg_namespace.nspname = 'corpus'::VARCHAR
read | SELECT pg_catalog.pg_namespace.nspname ⏎FROM pg_catalog.pg_namespace ⏎WHERE (pg_catalog.pg_namespace.nspname NOT LIKE 'pg/_'::VARCHAR || '%' ESCAPE '/') ORDER BY pg_catalog.pg_namespace.nspname
read | SELECT pg_catalog.pg_class.oid, pg_catalog.pg_class.relname ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR, 'v'::VARCHAR, 'm'::VARCHAR]) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR AND pg_catalog.pg_class.relname IN ('t'::VARCHAR)
read | SELECT pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname, CASE WHEN (pg_catalog.pg_constraint.oid IS NOT NULL) THEN pg_catalog.pg_get_constraintdef(pg_catalog.pg_constraint.oid, 't') END AS anon_1, nsp_ref.nspname, pg_catalog.pg_description.description ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_constraint ON pg_catalog.pg_class.oid = pg_catalog.pg_constraint.conrelid AND pg_catalog.pg_constraint.contype = 'f'::VARCHAR LEFT OUTER JOIN pg_catalog.pg_class AS cls_ref ON cls_ref.oid = pg_catalog.pg_constraint.confrelid LEFT OUTER JOIN pg_catalog.pg_namespace AS nsp_ref ON cls_ref.relnamespace = nsp_ref.oid LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_constraint.oid AND pg_catalog.pg_description.classoid = CAST('pg_constraint' AS REGCLASS) JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR, 'v'::VARCHAR, 'm'::VARCHAR]) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR AND pg_catalog.pg_class.relname IN ('t'::VARCHAR) ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname
read | SELECT pg_catalog.pg_am.oid, pg_catalog.pg_am.amname ⏎FROM pg_catalog.pg_am ⏎WHERE pg_catalog.pg_am.amname = 'btree'::VARCHAR
read | SELECT pg_catalog.pg_opclass.oid, pg_catalog.pg_opclass.opcname ⏎FROM pg_catalog.pg_opclass ⏎WHERE NOT pg_catalog.pg_opclass.opcdefault
read | SELECT pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname, CASE WHEN (pg_catalog.pg_constraint.oid IS NOT NULL) THEN pg_catalog.pg_get_constraintdef(pg_catalog.pg_constraint.oid, 't') END AS anon_1, pg_catalog.pg_description.description ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_constraint ON pg_catalog.pg_class.oid = pg_catalog.pg_constraint.conrelid AND pg_catalog.pg_constraint.contype = 'c'::VARCHAR LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_constraint.oid AND pg_catalog.pg_description.classoid = CAST('pg_constraint' AS REGCLASS) JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR, 'v'::VARCHAR, 'm'::VARCHAR]) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR AND pg_catalog.pg_class.relname IN ('t'::VARCHAR) ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname
read | SELECT pg_catalog.pg_class.relname, pg_catalog.pg_description.description ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_class.oid = pg_catalog.pg_description.objoid AND pg_catalog.pg_description.objsubid = '0'::INTEGER AND pg_catalog.pg_description.classoid = CAST('pg_class' AS REGCLASS) JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR, 'v'::VARCHAR, 'm'::VARCHAR]) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR AND pg_catalog.pg_class.relname IN ('t'::VARCHAR)
read | SELECT pg_catalog.pg_get_viewdef(pg_catalog.pg_class.oid) AS pg_get_viewdef_1 ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relname = 'v'::VARCHAR AND pg_catalog.pg_class.relkind = ANY (ARRAY['v'::VARCHAR, 'm'::VARCHAR]) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR
read | SELECT pg_catalog.pg_type.typname AS name, pg_catalog.pg_type_is_visible(pg_catalog.pg_type.oid) AS visible, pg_catalog.pg_namespace.nspname AS schema, lbl_agg.labels AS labels ⏎FROM pg_catalog.pg_type JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_type.typnamespace LEFT OUTER JOIN (SELECT pg_catalog.pg_enum.enumtypid AS enumtypid, array_agg(CAST(pg_catalog.pg_enum.enumlabel AS TEXT) ORDER BY pg_catalog.pg_enum.enumsortorder) AS labels ⏎FROM pg_catalog.pg_enum GROUP BY pg_catalog.pg_enum.enumtypid) AS lbl_agg ON pg_catalog.pg_type.oid = lbl_agg.enumtypid ⏎WHERE pg_catalog.pg_type.typtype = 'e'::VARCHAR AND pg_catalog.pg_type_is_visible(pg_catalog.pg_type.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR ORDER BY pg_catalog.pg_namespace.nspname, pg_catalog.pg_type.typname
read | SELECT pg_catalog.pg_class.relname ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relname IN ('t'::VARCHAR) AND pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR, 'v'::VARCHAR, 'm'::VARCHAR]) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR
read | SELECT pg_catalog.pg_class.relname ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = 'S'::VARCHAR AND pg_catalog.pg_class.relname = 's'::VARCHAR AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR
read | SELECT pg_catalog.pg_class.oid ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relname = 't'::VARCHAR AND pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR, 'v'::VARCHAR, 'm'::VARCHAR]) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR
read | SELECT pg_catalog.pg_class.oid, pg_catalog.pg_class.relname ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR]) AND pg_catalog.pg_namespace.nspname = 'corpus'::VARCHAR AND pg_catalog.pg_class.relname IN ('t'::VARCHAR, 'u'::VARCHAR, 'Update'::VARCHAR)
read | SELECT pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname, CASE WHEN (pg_catalog.pg_constraint.oid IS NOT NULL) THEN pg_catalog.pg_get_constraintdef(pg_catalog.pg_constraint.oid, 't') END AS anon_1, nsp_ref.nspname, pg_catalog.pg_description.description ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_constraint ON pg_catalog.pg_class.oid = pg_catalog.pg_constraint.conrelid AND pg_catalog.pg_constraint.contype = 'f'::VARCHAR LEFT OUTER JOIN pg_catalog.pg_class AS cls_ref ON cls_ref.oid = pg_catalog.pg_constraint.confrelid LEFT OUTER JOIN pg_catalog.pg_namespace AS nsp_ref ON cls_ref.relnamespace = nsp_ref.oid LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_constraint.oid AND pg_catalog.pg_description.classoid = CAST('pg_constraint' AS REGCLASS) JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR]) AND pg_catalog.pg_namespace.nspname = 'corpus'::VARCHAR AND pg_catalog.pg_class.relname IN ('t'::VARCHAR, 'u'::VARCHAR, 'Update'::VARCHAR) ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname
read | SELECT pg_catalog.pg_class.relname, pg_catalog.pg_description.description ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_class.oid = pg_catalog.pg_description.objoid AND pg_catalog.pg_description.objsubid = '0'::INTEGER AND pg_catalog.pg_description.classoid = CAST('pg_class' AS REGCLASS) JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR]) AND pg_catalog.pg_namespace.nspname = 'corpus'::VARCHAR AND pg_catalog.pg_class.relname IN ('t'::VARCHAR, 'u'::VARCHAR, 'Update'::VARCHAR)
read | SELECT pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname, CASE WHEN (pg_catalog.pg_constraint.oid IS NOT NULL) THEN pg_catalog.pg_get_constraintdef(pg_catalog.pg_constraint.oid, 't') END AS anon_1, pg_catalog.pg_description.description ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_constraint ON pg_catalog.pg_class.oid = pg_catalog.pg_constraint.conrelid AND pg_catalog.pg_constraint.contype = 'c'::VARCHAR LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_constraint.oid AND pg_catalog.pg_description.classoid = CAST('pg_constraint' AS REGCLASS) JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR]) AND pg_catalog.pg_namespace.nspname = 'corpus'::VARCHAR AND pg_catalog.pg_class.relname IN ('t'::VARCHAR, 'u'::VARCHAR, 'Update'::VARCHAR) ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname
read | SELECT pg_catalog.pg_class.oid, pg_catalog.pg_class.relname, pg_catalog.pg_class.reloptions, NULL AS relhasoids, CASE WHEN (pg_catalog.pg_am.amname IS NOT NULL AND pg_catalog.pg_am.amname != current_setting('default_table_access_method'::VARCHAR)) THEN pg_catalog.pg_am.amname ELSE NULL END AS access_method_name, pg_catalog.pg_tablespace.spcname AS tablespace_name, inherits.parent_table_names ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_am ON pg_catalog.pg_class.relam = pg_catalog.pg_am.oid LEFT OUTER JOIN (SELECT pg_catalog.pg_inherits.inhrelid AS inhrelid, array_agg(pg_catalog.pg_class.relname ORDER BY pg_catalog.pg_inherits.inhseqno) AS parent_table_names ⏎FROM pg_catalog.pg_inherits JOIN pg_catalog.pg_class ON pg_catalog.pg_inherits.inhparent = pg_catalog.pg_class.oid GROUP BY pg_catalog.pg_inherits.inhrelid) AS inherits ON pg_catalog.pg_class.oid = inherits.inhrelid LEFT OUTER JOIN pg_catalog.pg_tablespace ON pg_catalog.pg_tablespace.oid = pg_catalog.pg_class.reltablespace JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR]) AND pg_catalog.pg_namespace.nspname = 'corpus'::VARCHAR AND pg_catalog.pg_class.relname IN ('t'::VARCHAR, 'u'::VARCHAR, 'Update'::VARCHAR)
read | SELECT corpus.t.id, corpus.t.a, corpus.t.b, corpus.t.j ⏎FROM corpus.t ⏎WHERE corpus.t.id IN ('1'::INTEGER, '2'::INTEGER, '3'::INTEGER) ORDER BY corpus.t.a DESC NULLS LAST ⏎ LIMIT '5'::INTEGER OFFSET '1'::INTEGER
read | SELECT count(*) AS count_1 ⏎FROM corpus.t LEFT OUTER JOIN corpus.u ON corpus.t.id = corpus.u.id
read | SELECT corpus.t.a, row_number() OVER (PARTITION BY corpus.t.a ORDER BY corpus.t.id) AS anon_1 ⏎FROM corpus.t
write | SELECT corpus.t.id, corpus.t.a, corpus.t.b, corpus.t.j ⏎FROM corpus.t FOR UPDATE SKIP LOCKED
write | SELECT corpus.t.id, corpus.t.a, corpus.t.b, corpus.t.j ⏎FROM corpus.t FOR SHARE NOWAIT
write | SELECT corpus.t.id, corpus.t.a, corpus.t.b, corpus.t.j ⏎FROM corpus.t FOR NO KEY UPDATE OF t
write | INSERT INTO corpus.t (id, a, b) VALUES ('9001'::INTEGER, '1'::INTEGER, 'x'::VARCHAR)
write | INSERT INTO corpus.t (id, a) VALUES ('9002'::INTEGER, '1'::INTEGER), ('9003'::INTEGER, '2'::INTEGER) RETURNING corpus.t.id
write | INSERT INTO corpus.t (id, a) VALUES ('9001'::INTEGER, '3'::INTEGER) ON CONFLICT (id) DO UPDATE SET a = '4'::INTEGER
write | UPDATE corpus.t SET a=(corpus.t.a + '1'::INTEGER) WHERE corpus.t.id = '9001'::INTEGER
write | DELETE FROM corpus.t WHERE corpus.t.id = '9001'::INTEGER
read | WITH x AS ⏎(SELECT corpus.t.id AS id ⏎FROM corpus.t)⏎ SELECT x.id ⏎FROM x
read | SELECT corpus.t.id ⏎FROM corpus.t UNION ALL SELECT corpus.u.id ⏎FROM corpus.u
read | SELECT corpus.t.j ->> 'a'::TEXT AS anon_1, CAST(corpus.t.a AS NUMERIC(10, 2)) AS a ⏎FROM corpus.t
read | SELECT EXISTS (SELECT * ⏎FROM corpus.t ⏎WHERE corpus.t.id = '1'::INTEGER) AS anon_1
# --- as Alembic emits them ---------------------------------------------------------------------------------------------------
read | SELECT pg_catalog.pg_class.oid, pg_catalog.pg_class.relname ⏎FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR]) AND pg_catalog.pg_class.relpersistence != 't'::VARCHAR AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR AND pg_catalog.pg_class.relname IN ('Update'::VARCHAR, 'u'::VARCHAR, 't'::VARCHAR)
read | SELECT pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname, CASE WHEN (pg_catalog.pg_constraint.oid IS NOT NULL) THEN pg_catalog.pg_get_constraintdef(pg_catalog.pg_constraint.oid, 't') END AS anon_1, nsp_ref.nspname, pg_catalog.pg_description.description ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_constraint ON pg_catalog.pg_class.oid = pg_catalog.pg_constraint.conrelid AND pg_catalog.pg_constraint.contype = 'f'::VARCHAR LEFT OUTER JOIN pg_catalog.pg_class AS cls_ref ON cls_ref.oid = pg_catalog.pg_constraint.confrelid LEFT OUTER JOIN pg_catalog.pg_namespace AS nsp_ref ON cls_ref.relnamespace = nsp_ref.oid LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_constraint.oid AND pg_catalog.pg_description.classoid = CAST('pg_constraint' AS REGCLASS) JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR]) AND pg_catalog.pg_class.relpersistence != 't'::VARCHAR AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR AND pg_catalog.pg_class.relname IN ('Update'::VARCHAR, 'u'::VARCHAR, 't'::VARCHAR) ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname
read | SELECT pg_catalog.pg_class.relname, pg_catalog.pg_description.description ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_class.oid = pg_catalog.pg_description.objoid AND pg_catalog.pg_description.objsubid = '0'::INTEGER AND pg_catalog.pg_description.classoid = CAST('pg_class' AS REGCLASS) JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR]) AND pg_catalog.pg_class.relpersistence != 't'::VARCHAR AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR AND pg_catalog.pg_class.relname IN ('Update'::VARCHAR, 'u'::VARCHAR, 't'::VARCHAR)
read | SELECT pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname, CASE WHEN (pg_catalog.pg_constraint.oid IS NOT NULL) THEN pg_catalog.pg_get_constraintdef(pg_catalog.pg_constraint.oid, 't') END AS anon_1, pg_catalog.pg_description.description ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_constraint ON pg_catalog.pg_class.oid = pg_catalog.pg_constraint.conrelid AND pg_catalog.pg_constraint.contype = 'c'::VARCHAR LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_constraint.oid AND pg_catalog.pg_description.classoid = CAST('pg_constraint' AS REGCLASS) JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR]) AND pg_catalog.pg_class.relpersistence != 't'::VARCHAR AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR AND pg_catalog.pg_class.relname IN ('Update'::VARCHAR, 'u'::VARCHAR, 't'::VARCHAR) ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname
read | SELECT pg_catalog.pg_class.oid, pg_catalog.pg_class.relname, pg_catalog.pg_class.reloptions, NULL AS relhasoids, CASE WHEN (pg_catalog.pg_am.amname IS NOT NULL AND pg_catalog.pg_am.amname != current_setting('default_table_access_method'::VARCHAR)) THEN pg_catalog.pg_am.amname ELSE NULL END AS access_method_name, pg_catalog.pg_tablespace.spcname AS tablespace_name, inherits.parent_table_names ⏎FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_am ON pg_catalog.pg_class.relam = pg_catalog.pg_am.oid LEFT OUTER JOIN (SELECT pg_catalog.pg_inherits.inhrelid AS inhrelid, array_agg(pg_catalog.pg_class.relname ORDER BY pg_catalog.pg_inherits.inhseqno) AS parent_table_names ⏎FROM pg_catalog.pg_inherits JOIN pg_catalog.pg_class ON pg_catalog.pg_inherits.inhparent = pg_catalog.pg_class.oid GROUP BY pg_catalog.pg_inherits.inhrelid) AS inherits ON pg_catalog.pg_class.oid = inherits.inhrelid LEFT OUTER JOIN pg_catalog.pg_tablespace ON pg_catalog.pg_tablespace.oid = pg_catalog.pg_class.reltablespace JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace ⏎WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r'::VARCHAR, 'p'::VARCHAR, 'f'::VARCHAR]) AND pg_catalog.pg_class.relpersistence != 't'::VARCHAR AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'::VARCHAR AND pg_catalog.pg_class.relname IN ('Update'::VARCHAR, 'u'::VARCHAR, 't'::VARCHAR)
read | select c.relname, a.attname from pg_class as c join pg_depend d on d.objid=c.oid and d.classid='pg_class'::regclass and d.refclassid='pg_class'::regclass join pg_class t on t.oid=d.refobjid join pg_attribute a on a.attrelid=t.oid and a.attnum=d.refobjsubid where c.relkind='S' and c.oid=cast('t_id_seq' as regclass)
write | CREATE TABLE alembic_version (⏎␉version_num VARCHAR(32) NOT NULL, ⏎␉CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)⏎)
# --- as Django emits them ----------------------------------------------------------------------------------------------------
read | SELECT⏎                c.relname,⏎                CASE⏎                    WHEN c.relispartition THEN 'p'⏎                    WHEN c.relkind IN ('m', 'v') THEN 'v'⏎                    ELSE 't'⏎                END,⏎                obj_description(c.oid, 'pg_class')⏎            FROM pg_catalog.pg_class c⏎            LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace⏎            WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')⏎                AND n.nspname NOT IN ('pg_catalog', 'pg_toast')⏎                AND pg_catalog.pg_table_is_visible(c.oid)
write | ALTER TABLE "django_content_type" ADD CONSTRAINT "django_content_type_app_label_model_76bd3d3b_uniq" UNIQUE ("app_label", "model")
write | INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('contenttypes', '0001_initial', '2026-11-21 07:55:18.760707+00:00'::timestamptz) RETURNING "django_migrations"."id"
write | ALTER TABLE "auth_permission" ADD CONSTRAINT "auth_permission_content_type_id_codename_01ab375a_uniq" UNIQUE ("content_type_id", "codename")
write | ALTER TABLE "auth_permission" ADD CONSTRAINT "auth_permission_content_type_id_2f476e4b_fk_django_co" FOREIGN KEY ("content_type_id") REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED
write | CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id")
write | CREATE INDEX "auth_group_name_a6ea08ec_like" ON "auth_group" ("name" varchar_pattern_ops)
write | ALTER TABLE "auth_group_permissions" ADD CONSTRAINT "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" UNIQUE ("group_id", "permission_id")
write | CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id")
write | CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id")
write | ALTER TABLE "auth_permission" ALTER COLUMN "name" TYPE varchar(255)
write | ALTER TABLE "auth_user" ALTER COLUMN "email" TYPE varchar(254)
write | ALTER TABLE "auth_user" ALTER COLUMN "last_login" DROP NOT NULL
write | ALTER TABLE "auth_user" ALTER COLUMN "username" TYPE varchar(150)
write | ALTER TABLE "auth_user" ALTER COLUMN "last_name" TYPE varchar(150)
write | ALTER TABLE "auth_group" ALTER COLUMN "name" TYPE varchar(150)
write | ALTER TABLE "auth_user" ALTER COLUMN "first_name" TYPE varchar(150)
read | SELECT "django_migrations"."id", "django_migrations"."app", "django_migrations"."name", "django_migrations"."applied" FROM "django_migrations"
read | SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE "django_content_type"."app_label" = 'contenttypes'
write | INSERT INTO "django_content_type" ("app_label", "model") VALUES ('contenttypes', 'contenttype') RETURNING "django_content_type"."id"
read | SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE ("django_content_type"."app_label" = 'contenttypes' AND "django_content_type"."model" IN ('contenttype'))
read | SELECT "auth_permission"."content_type_id" AS "content_type", "auth_permission"."codename" AS "codename" FROM "auth_permission" INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") WHERE "auth_permission"."content_type_id" IN (1) ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, 2 ASC
write | INSERT INTO "auth_permission" ("name", "content_type_id", "codename") SELECT * FROM UNNEST(('{"Can add content type","Can change content type","Can delete content type","Can view content type"}')::varchar[], ('{1,1,1,1}'::int2[])::integer[], ('{add_contenttype,change_contenttype,delete_contenttype,view_contenttype}')::varchar[]) RETURNING "auth_permission"."id"
write | INSERT INTO "django_content_type" ("app_label", "model") SELECT * FROM UNNEST(('{auth,auth,auth}')::varchar[], ('{permission,group,user}')::varchar[]) RETURNING "django_content_type"."id"
read | SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE ("django_content_type"."app_label" = 'auth' AND "django_content_type"."model" IN ('permission', 'group', 'user'))
read | SELECT "auth_permission"."content_type_id" AS "content_type", "auth_permission"."codename" AS "codename" FROM "auth_permission" INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") WHERE "auth_permission"."content_type_id" IN (2, 3, 4) ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, 2 ASC
read | SELECT a1.attname, c2.relname, a2.attname⏎            FROM pg_constraint con⏎            LEFT JOIN pg_class c1 ON con.conrelid = c1.oid⏎            LEFT JOIN pg_class c2 ON con.confrelid = c2.oid⏎            LEFT JOIN⏎                pg_attribute a1 ON c1.oid = a1.attrelid AND a1.attnum = con.conkey[1]⏎            LEFT JOIN⏎                pg_attribute a2 ON c2.oid = a2.attrelid AND a2.attnum = con.confkey[1]⏎            WHERE⏎                c1.relname = 'Update' AND⏎                con.contype = 'f' AND⏎                c1.relnamespace = c2.relnamespace AND⏎                pg_catalog.pg_table_is_visible(c1.oid)
read | SELECT⏎                c.conname,⏎                array(⏎                    SELECT attname⏎                    FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)⏎                    JOIN pg_attribute AS ca ON cols.colid = ca.attnum⏎                    WHERE ca.attrelid = c.conrelid⏎                    ORDER BY cols.arridx⏎                ),⏎                c.contype,⏎                (SELECT fkc.relname || '.' || fka.attname⏎                FROM pg_attribute AS fka⏎                JOIN pg_class AS fkc ON fka.attrelid = fkc.oid⏎                WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]),⏎                cl.reloptions⏎            FROM pg_constraint AS c⏎            JOIN pg_class AS cl ON c.conrelid = cl.oid⏎            WHERE cl.relname = 'Update' AND pg_catalog.pg_table_is_visible(cl.oid)
read | SELECT⏎                a.attname AS column_name,⏎                NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable,⏎                pg_get_expr(ad.adbin, ad.adrelid) AS column_default,⏎                CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation,⏎                a.attidentity != '' AS is_autofield,⏎                col_description(a.attrelid, a.attnum) AS column_comment⏎            FROM pg_attribute a⏎            LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum⏎            LEFT JOIN pg_collation co ON a.attcollation = co.oid⏎            JOIN pg_type t ON a.atttypid = t.oid⏎            JOIN pg_class c ON a.attrelid = c.oid⏎            JOIN pg_namespace n ON c.relnamespace = n.oid⏎            WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')⏎                AND c.relname = 'Update'⏎                AND n.nspname NOT IN ('pg_catalog', 'pg_toast')⏎                AND pg_catalog.pg_table_is_visible(c.oid)
read | SELECT * FROM "Update" LIMIT 1
read | SELECT * FROM "auth_group" LIMIT 1
read | SELECT * FROM "auth_group_permissions" LIMIT 1
read | SELECT * FROM "auth_permission" LIMIT 1
read | SELECT * FROM "auth_user" LIMIT 1
read | SELECT * FROM "auth_user_groups" LIMIT 1
read | SELECT * FROM "auth_user_user_permissions" LIMIT 1
read | SELECT * FROM "django_content_type" LIMIT 1
read | SELECT * FROM "django_migrations" LIMIT 1
read | SELECT * FROM "django_session" LIMIT 1
read | SELECT * FROM "t" LIMIT 1
read | SELECT * FROM "u" LIMIT 1
write | INSERT INTO "auth_user" ("password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined") VALUES ('pbkdf2_sha256$1000000$EKVGb3zW77omUTBUvibuOX$4KtbP0yRWDI2HQQ73hIFfh8Is8v/iFBtj4PlzgXpPn0=', NULL, false, 'a', '', '', 'a@x.org', false, true, '2026-11-21 07:55:19.219454+00:00'::timestamptz) RETURNING "auth_user"."id"
write | INSERT INTO "auth_group" ("name") VALUES ('g') RETURNING "auth_group"."id"
write | INSERT INTO "auth_user_groups" ("user_id", "group_id") VALUES (1, 1) ON CONFLICT DO NOTHING
read | SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE ((UPPER("auth_user"."username"::text) LIKE UPPER('%a%') OR "auth_user"."email"::text LIKE '%x.org') AND "auth_user"."is_active" AND NOT ("auth_user"."id" = 5)) ORDER BY "auth_user"."date_joined" DESC LIMIT 10
read | SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user"
read | SELECT ("auth_user_groups"."user_id") AS "_prefetch_related_val_user_id", "auth_group"."id", "auth_group"."name" FROM "auth_group" INNER JOIN "auth_user_groups" ON ("auth_group"."id" = "auth_user_groups"."group_id") WHERE "auth_user_groups"."user_id" IN (1)
read | SELECT ("auth_user_user_permissions"."user_id") AS "_prefetch_related_val_user_id", "auth_permission"."id", "auth_permission"."name", "auth_permission"."content_type_id", "auth_permission"."codename" FROM "auth_permission" INNER JOIN "auth_user_user_permissions" ON ("auth_permission"."id" = "auth_user_user_permissions"."permission_id") INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") WHERE "auth_user_user_permissions"."user_id" IN (1) ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, "auth_permission"."codename" ASC
read | SELECT 1 AS "a" FROM "auth_user" INNER JOIN "auth_user_groups" ON ("auth_user"."id" = "auth_user_groups"."user_id") INNER JOIN "auth_group" ON ("auth_user_groups"."group_id" = "auth_group"."id") WHERE "auth_group"."name" = 'g' LIMIT 1
read | SELECT COUNT(*) AS "__count" FROM "auth_user"
read | SELECT "auth_user"."username" AS "username", COUNT("auth_user_groups"."group_id") AS "n" FROM "auth_user" LEFT OUTER JOIN "auth_user_groups" ON ("auth_user"."id" = "auth_user_groups"."user_id") GROUP BY "auth_user"."id" HAVING COUNT("auth_user_groups"."group_id") > 0 ORDER BY "auth_user"."id" ASC LIMIT 1
read | SELECT MAX("auth_user"."last_login") AS "last_login__max" FROM "auth_user"
read | SELECT DATE_TRUNC('month', "auth_user"."date_joined" AT TIME ZONE 'America/Chicago') AS "m", COUNT("auth_user"."id") AS "c" FROM "auth_user" GROUP BY 1
read | SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined", ROW_NUMBER() OVER (ORDER BY "auth_user"."id" DESC) AS "r" FROM "auth_user"
read | SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE EXISTS(SELECT 1 AS "a" FROM "auth_group" U0 INNER JOIN "auth_user_groups" U1 ON (U0."id" = U1."group_id") WHERE U1."user_id" = ("auth_user"."id") LIMIT 1)
read | SELECT DISTINCT "auth_user"."id" AS "id" FROM "auth_user" WHERE "auth_user"."username" IN ('a', 'b')
read | (SELECT "auth_user"."id" AS "col1", "auth_user"."password" AS "col2", "auth_user"."last_login" AS "col3", "auth_user"."is_superuser" AS "col4", "auth_user"."username" AS "col5", "auth_user"."first_name" AS "col6", "auth_user"."last_name" AS "col7", "auth_user"."email" AS "col8", "auth_user"."is_staff" AS "col9", "auth_user"."is_active" AS "col10", "auth_user"."date_joined" AS "col11" FROM "auth_user" WHERE "auth_user"."username"::text ~ '^a') UNION (SELECT "auth_user"."id" AS "col1", "auth_user"."password" AS "col2", "auth_user"."last_login" AS "col3", "auth_user"."is_superuser" AS "col4", "auth_user"."username" AS "col5", "auth_user"."first_name" AS "col6", "auth_user"."last_name" AS "col7", "auth_user"."email" AS "col8", "auth_user"."is_staff" AS "col9", "auth_user"."is_active" AS "col10", "auth_user"."date_joined" AS "col11" FROM "auth_user" WHERE "auth_user"."is_staff")
write | SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE "auth_user"."id" = 1 FOR UPDATE SKIP LOCKED
write | SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" FOR NO KEY UPDATE OF "auth_user"
write | UPDATE "auth_user" SET "last_login" = NULL, "first_name" = LOWER("auth_user"."username") WHERE "auth_user"."id" = 1
read | SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE "auth_user"."username" = 'b' LIMIT 21
write | SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE "auth_user"."username" = 'b' LIMIT 21 FOR UPDATE
write | UPDATE "auth_user" SET "last_login" = NULL, "email" = 'b', "date_joined" = '2026-11-21 07:55:19.930228+00:00'::timestamptz WHERE "auth_user"."id" = 2
write | INSERT INTO "auth_group" ("name") SELECT * FROM UNNEST(('{x,y}')::varchar[]) ON CONFLICT DO NOTHING
session silent{leaves state in the session} | DECLARE "_django_curs_140004681059200_sync_1" NO SCROLL CURSOR WITH HOLD FOR SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user"
read | EXPLAIN (ANALYZE true) SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user" WHERE "auth_user"."id" = 1
write | DELETE FROM "auth_user_groups" WHERE "auth_user_groups"."user_id" IN (1)
write | DELETE FROM "auth_user_user_permissions" WHERE "auth_user_user_permissions"."user_id" IN (1)
write | DELETE FROM "auth_user" WHERE "auth_user"."id" IN (1)
write | DELETE FROM "django_session" WHERE "django_session"."expire_date" < '2026-11-21 07:55:19.219454+00:00'::timestamptz
session silent{leaves state in the session} | DECLARE "_django_curs_140128605653888_sync_1" NO SCROLL CURSOR WITH HOLD FOR SELECT "auth_user"."id", "auth_user"."password", "auth_user"."last_login", "auth_user"."is_superuser", "auth_user"."username", "auth_user"."first_name", "auth_user"."last_name", "auth_user"."email", "auth_user"."is_staff", "auth_user"."is_active", "auth_user"."date_joined" FROM "auth_user"
# --- as Peewee emits them ----------------------------------------------------------------------------------------------------
read | SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = COALESCE('corpus', current_schema()) ORDER BY tablename
read | SELECT c.column_name, c.is_nullable, c.data_type,⏎                c.column_default,⏎                pg_catalog.format_type(a.atttypid, a.atttypmod),⏎                c.is_identity⏎            FROM information_schema.columns AS c⏎            INNER JOIN pg_catalog.pg_namespace AS n⏎                ON (n.nspname = c.table_schema)⏎            INNER JOIN pg_catalog.pg_class AS t⏎                ON (t.relname = c.table_name AND t.relnamespace = n.oid)⏎            INNER JOIN pg_catalog.pg_attribute AS a⏎                ON (a.attrelid = t.oid AND a.attname = c.column_name)⏎            WHERE c.table_name = 't'⏎                AND c.table_schema = COALESCE('corpus', current_schema())⏎                AND NOT a.attisdropped⏎            ORDER BY c.ordinal_position
read | SELECT kc.column_name⏎            FROM information_schema.table_constraints AS tc⏎            INNER JOIN information_schema.key_column_usage AS kc ON (⏎                tc.table_name = kc.table_name AND⏎                tc.table_schema = kc.table_schema AND⏎                tc.constraint_name = kc.constraint_name)⏎            WHERE⏎                tc.constraint_type = 'PRIMARY KEY' AND⏎                tc.table_name = 't' AND⏎                tc.table_schema = COALESCE('corpus', current_schema())⏎            ORDER BY kc.ordinal_position
read | SELECT⏎                i.relname, idxs.indexdef, idx.indisunique,⏎                ARRAY(⏎                    SELECT pg_get_indexdef(idx.indexrelid, k + 1, TRUE)⏎                    FROM generate_subscripts(idx.indkey, 1) AS k⏎                    ORDER BY k)⏎            FROM pg_catalog.pg_class AS t⏎            INNER JOIN pg_catalog.pg_namespace AS n ON t.relnamespace = n.oid⏎            INNER JOIN pg_catalog.pg_index AS idx ON t.oid = idx.indrelid⏎            INNER JOIN pg_catalog.pg_class AS i ON idx.indexrelid = i.oid⏎            INNER JOIN pg_catalog.pg_indexes AS idxs ON (⏎                idxs.tablename = t.relname⏎                AND idxs.indexname = i.relname⏎                AND idxs.schemaname = n.nspname)⏎            WHERE t.relname = 't' AND t.relkind = 'r'⏎                AND n.nspname = COALESCE('corpus', current_schema())⏎            ORDER BY idx.indisunique DESC, i.relname;
read | SELECT DISTINCT⏎                kcu.column_name, ccu.table_name, ccu.column_name,⏎                tc.constraint_name, rc.delete_rule, rc.update_rule⏎            FROM information_schema.table_constraints AS tc⏎            JOIN information_schema.key_column_usage AS kcu⏎                ON (tc.constraint_name = kcu.constraint_name AND⏎                    tc.constraint_schema = kcu.constraint_schema AND⏎                    tc.table_name = kcu.table_name AND⏎                    tc.table_schema = kcu.table_schema)⏎            JOIN information_schema.constraint_column_usage AS ccu⏎                ON (ccu.constraint_name = tc.constraint_name AND⏎                    ccu.constraint_schema = tc.constraint_schema)⏎            JOIN information_schema.referential_constraints AS rc⏎                ON (rc.constraint_name = tc.constraint_name AND⏎                    rc.constraint_schema = tc.constraint_schema)⏎            WHERE⏎                tc.constraint_type = 'FOREIGN KEY' AND⏎                tc.table_name = 't' AND⏎                tc.table_schema = COALESCE('corpus', current_schema())
read | SELECT viewname, definition FROM pg_catalog.pg_views WHERE schemaname = COALESCE('corpus', current_schema()) ORDER BY viewname
read | SELECT COUNT(*) FROM pg_class, pg_namespace⏎            WHERE relkind='S'⏎                AND pg_class.relnamespace = pg_namespace.oid⏎                AND relname='s'⏎                AND nspname=COALESCE(NULL, current_schema())
# --- as pgbench and other tools of the server emits them ---------------------------------------------------------------------
write | drop table if exists pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers
control silent{transaction control} | begin
write | truncate table pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers
write | insert into pgbench_branches(bid,bbalance) values(1,0)
write | insert into pgbench_tellers(tid,bid,tbalance) values (1,1,0)
control silent{transaction control} | commit
write autocommit | vacuum analyze pgbench_branches
write autocommit | vacuum analyze pgbench_tellers
write autocommit | vacuum analyze pgbench_accounts
read | select count(*) from pgbench_branches
read | select o.n, p.partstrat, pg_catalog.count(i.inhparent) from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on (n.oid = c.relnamespace) cross join lateral (select pg_catalog.array_position(pg_catalog.current_schemas(true), n.nspname)) as o(n) left join pg_catalog.pg_partitioned_table as p on (p.partrelid = c.oid) left join pg_catalog.pg_inherits as i on (c.oid = i.inhparent) where c.relname = 'pgbench_accounts' and o.n is not null group by 1, 2 order by 1 asc limit 1
write | truncate pgbench_history
write | UPDATE pgbench_accounts SET abalance = abalance + 1137 WHERE aid = 33229;
read | SELECT abalance FROM pgbench_accounts WHERE aid = 33229;
write | UPDATE pgbench_tellers SET tbalance = tbalance + 1137 WHERE tid = 9;
write | UPDATE pgbench_branches SET bbalance = bbalance + 1137 WHERE bid = 1;
write | INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (9, 1, 33229, 1137, CURRENT_TIMESTAMP);
session silent{leaves state in the session} | RESET search_path;
read | SELECT c.relname, ns.nspname FROM pg_catalog.pg_class c⏎ JOIN pg_catalog.pg_namespace ns ON c.relnamespace OPERATOR(pg_catalog.=) ns.oid⏎ LEFT JOIN pg_catalog.pg_class t ON c.reltoastrelid OPERATOR(pg_catalog.=) t.oid⏎ WHERE c.relpersistence OPERATOR(pg_catalog.!=) 't'⏎ AND c.relkind OPERATOR(pg_catalog.=) ANY (array['r', 'm'])⏎ ORDER BY c.relpages DESC;
session silent{leaves state in the session} | SET default_statistics_target=1; SET vacuum_cost_delay=0;
write | ANALYZE corpus.pgbench_accounts;
write | ANALYZE pg_catalog.pg_proc;
write | ANALYZE pg_catalog.pg_attribute;
session silent{leaves state in the session} | SET default_statistics_target=10; RESET vacuum_cost_delay;
session silent{leaves state in the session} | RESET default_statistics_target;
read | SELECT c.relname, ns.nspname⏎ FROM pg_catalog.pg_class c, pg_catalog.pg_namespace ns⏎ WHERE c.relnamespace OPERATOR(pg_catalog.=) ns.oid⏎  AND c.oid OPERATOR(pg_catalog.=) 't'::pg_catalog.regclass;
write autocommit | REINDEX TABLE corpus.t;
session | CREATE TEMP TABLE vacuum_l AS SELECT oid AS lo FROM pg_largeobject_metadata
read | SELECT s.nspname, c.relname, a.attname FROM pg_class c, pg_attribute a, pg_namespace s, pg_type t WHERE a.attnum > 0 AND NOT a.attisdropped       AND a.attrelid = c.oid       AND a.atttypid = t.oid       AND c.relnamespace = s.oid       AND t.typname in ('oid', 'lo')       AND c.relkind in ('r', 'm')      AND s.nspname !~ '^pg_'
read | EXPLAIN SELECT * FROM t FOR UPDATE
# --- backslashes before another quote than their own -------------------------------------------------------------------------------------
read | SELECT '{"a": "say \"hi\""}'::jsonb ->> 'a'
read | SELECT * FROM t WHERE j @> '{"b": "x\"y; DELETE FROM t"}'
read | SELECT '\"', "id\'s" FROM (SELECT 1 AS "id\'s") x
read | SELECT 1 -- it\'s
read | SELECT 1 /* it\'s */
read | SELECT '\\"', '\\\"'
write silent{with standard_conforming_strings off the string goes on} | SELECT '\\\', '; DELETE FROM t; --'
write silent{with standard_conforming_strings off the string goes on} | SELECT '"\', '; DELETE FROM t; --'

# A number may end in its point.
write | SELECT 1. INTO new_table
write | SELECT id, 2. INTO new_table FROM t
session | SELECT 1. INTO TEMP new_table
read | SELECT 1. AS a, 2.e1 AS b, 3.+4. AS c

# A function of one argument by the notation of a column.
session silent{advisory locks are the standby's own} | SELECT (4711::bigint).pg_advisory_lock
session silent{advisory locks are the standby's own} | SELECT (4711::bigint)."pg_advisory_lock_shared"
session silent{advisory locks are the standby's own} | SELECT x.pg_try_advisory_lock FROM generate_series(1, 3) AS x
session silent{advisory locks are the standby's own} | SELECT (ARRAY[4711::bigint])[1].pg_advisory_lock
session silent{it is the session's random numbers} | SELECT (0.5::float8).setseed
write silent{advisory locks are the standby's own} | SELECT (4711::bigint).pg_advisory_xact_lock
write | SELECT ('corpus.s'::regclass).nextval
write | SELECT (4242::oid).lo_unlink
write silent{signals of the standby's own} | SELECT (0).pg_cancel_backend
read | SELECT ('x'::text).upper, (t).id FROM t
read | SELECT t.nextval, c.lo FROM (SELECT 1 AS nextval) AS t, (SELECT 2 AS lo) AS c
read unknown{writes} | SELECT t.touch FROM t LIMIT 1

# Words that are no reserved ones are names of functions too; what stands around them decides.
read unknown{writes} | SELECT lock(5)
read unknown{writes} | SELECT * FROM lock(5)
read unknown{writes} | SELECT a, "lock"(5) FROM t LIMIT 1
read unknown{writes} | SELECT "rollup"(a) FROM t LIMIT 1
read unknown{writes} | SELECT rollup(a) FROM t LIMIT 1
read unknown{writes} | SELECT 🚀()
read unknown{writes} | SELECT corpus.🚀()
read | SELECT a, count(*) FROM t GROUP BY a, ROLLUP (b, id) ORDER BY (a)
read | SELECT a, b, count(*) FROM t GROUP BY GROUPING SETS (CUBE (a, b), (a), ())
read | SELECT sum(a) FILTER (WHERE a > 0) OVER (PARTITION BY (b)) FROM t
read | WITH x AS MATERIALIZED (SELECT 1), y AS NOT MATERIALIZED (SELECT 2) SELECT * FROM x JOIN (SELECT 3) z ON (true), y
read | SELECT * FROM t TABLESAMPLE SYSTEM (10) REPEATABLE (5)
read | SELECT * FROM t TABLESAMPLE BERNOULLI (10)
read | SELECT * FROM t ORDER BY (id) FETCH FIRST (5) ROWS ONLY
read | SELECT * FROM t FETCH NEXT (1 + 1) ROWS ONLY
read | SELECT b ILIKE ('x%'), b NOT ILIKE ('y%'), 'z'::character varying(10), CAST(b AS varchar(5)) FROM t
write | INSERT INTO t (a, b) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET (a, b) = (2, 'y')

# What object mappers ask of the catalog and make of rows.
read | SELECT json_agg(t), jsonb_object_agg(id, b), format_type(23, -1), current_query(), pg_trigger_depth() FROM t
read | SELECT array_cat(ARRAY[1], ARRAY[2])

# Numbers with underscores (PostgreSQL 16): what follows the point that ends one is no name in it.
session since-16 | SELECT 1_000. INTO TEMP made_by_number
write since-16 | SELECT 1_0.0_1 AS a, 1_000. INTO made_by_number
read since-16 | SELECT 1_000, 1_000., 1_0.0_1, 1_0e1_0, 1_000. AS x, 0x1_F

# The notation of a column calls a function of one argument behind the alias of a function, too.
session silent{sets the session's seed} | SELECT c.setseed FROM abs(0.5::float8) AS c
session silent{sets the session's seed} | SELECT c."setseed" FROM abs(0.5::float8) AS c
