# --- plain reads -------------------------------------------------------------------------------------------------------
read | SELECT 1
read | select * from t
read | SeLeCt a, b FROM t WHERE id = 1
read | SELECT 1;
read |    SELECT 1
read | ␉SELECT⏎1
read | -- a comment⏎SELECT 1
read | --⏎SELECT 1
read | # a comment⏎SELECT 1
read | #⏎SELECT 1 #
read | /* a comment */ SELECT 1
read | /* DELETE FROM t */ SELECT 1
read | /**/SELECT/**/1/**/
read | SELECT 1 -- FOR UPDATE
read | SELECT 1 # FOR UPDATE
read | SELECT 1 /* FOR UPDATE */
read | SELECT 1 -- ; DELETE FROM t
read | SELECT 1--1
read | SELECT 1 --1
read | SELECT 2*/* c */3
read | SELECT 2*/**/3
read | SELECT /*+ MAX_EXECUTION_TIME(1000) */ 1
read | SELECT /*+ NO_INDEX_MERGE(t) */ * FROM t
read | SELECT /*!40001 SQL_NO_CACHE */ * FROM t
read | SELECT * FROM t /*!50000 USE INDEX (PRIMARY) */ WHERE id = 1
read | SELECT 1 /*! + 1 */
read | SELECT 1 /*!99999 + 1 */
read | SELECT 1 /*M! + 1 */
read | SELECT 1 /*M!100000 + 1 */
read | SELECT 1 /*!*/
read | (SELECT 1)
read | ((SELECT 1))
read | ( ( SELECT a FROM t ) ) ORDER BY 1 LIMIT 1
read | (SELECT 1) UNION (SELECT 2)
read | SELECT 1 UNION ALL SELECT 2
read | SELECT 1 EXCEPT SELECT 2
read | SELECT 1 INTERSECT SELECT 1
read only-mysql | VALUES ROW(1), ROW(2)
read only-mariadb | VALUES (1), (2)
read only-mysql | TABLE t
read only-mysql | TABLE t ORDER BY id LIMIT 1
read | WITH x AS (SELECT 1) SELECT * FROM x
read | WITH x(a) AS (SELECT 1) SELECT a FROM x
read | WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n
read | WITH x AS (SELECT 1 AS p), y(q) AS (SELECT 2) SELECT * FROM x, y
read | SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) y
read | SELECT DISTINCT a FROM t
read | SELECT SQL_NO_CACHE a FROM t
read | SELECT HIGH_PRIORITY SQL_SMALL_RESULT SQL_BUFFER_RESULT a FROM t
read | SELECT STRAIGHT_JOIN a FROM t
read | SELECT a, COUNT(*) FROM t GROUP BY a HAVING COUNT(*) > 1
read | SELECT a, SUM(id) FROM t GROUP BY a WITH ROLLUP
read | SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY id) FROM t
read | SELECT SUM(id) OVER w FROM t WINDOW w AS (ORDER BY id)
read | SELECT * FROM t LEFT JOIN u ON u.id = t.id
read | SELECT * FROM t JOIN u USING (id)
read | SELECT * FROM t NATURAL JOIN u
read | SELECT * FROM t FORCE INDEX (PRIMARY) WHERE id = 1
read | SELECT * FROM t USE INDEX FOR ORDER BY (PRIMARY) ORDER BY id
read | SELECT * FROM t IGNORE INDEX FOR JOIN (PRIMARY)
read | SELECT * FROM pt PARTITION (p0)
read | SELECT * FROM t LIMIT 10, 20
read | SELECT * FROM t LIMIT 1 OFFSET 1
read | SELECT CASE WHEN a > 1 THEN 'x' ELSE 'y' END FROM t
read | SELECT a FROM t WHERE id IN (SELECT id FROM u)
read | SELECT EXISTS (SELECT 1 FROM t)
read | SELECT a FROM t WHERE (id, a) IN ((1, 2), (3, 4))
read | SELECT COALESCE(a, 0), NULLIF(a, 1), IFNULL(a, 1), IF(a > 1, 'x', 'y'), GREATEST(a, 1), LEAST(a, 2) FROM t
read | SELECT CAST(a AS CHAR(10)), CONVERT(a, DECIMAL(10, 2)), CONVERT(b USING utf8mb4) FROM t
read | SELECT CAST(a AS UNSIGNED), BINARY b FROM t
read only-mysql | SELECT j -> '$.a', j ->> '$.a' FROM t
read | SELECT JSON_EXTRACT(j, '$.a'), JSON_UNQUOTE(JSON_EXTRACT(j, '$.a')), JSON_OBJECT('a', 1) FROM t
read | SELECT JSON_ARRAYAGG(id), JSON_OBJECTAGG(id, a) FROM t
read | SELECT * FROM JSON_TABLE('[{"a":1}]', '$[*]' COLUMNS (i FOR ORDINALITY, a INT PATH '$.a')) x
read | SELECT SUBSTRING('abc' FROM 2 FOR 1), POSITION('a' IN 'abc'), TRIM(BOTH ' ' FROM ' a '), EXTRACT(YEAR FROM NOW())
read | SELECT NOW(), CURRENT_TIMESTAMP, CURDATE(), UTC_TIMESTAMP(), SYSDATE(), UNIX_TIMESTAMP()
read | SELECT NOW() - INTERVAL 1 DAY, DATE_ADD(NOW(), INTERVAL 1 DAY), TIMESTAMPDIFF(DAY, NOW(), NOW())
read | SELECT DATE '2020-01-01', TIMESTAMP '2020-01-01 00:00:00', TIME '10:00:00'
read | SELECT 'it''s', "a", "a""b", N'x', _utf8mb4'x', X'4D', 0x4D, B'01', 0b01
read | SELECT 'a' 'b'
read | SELECT 'FOR UPDATE', "INTO x", '; DELETE FROM t; --'
read | SELECT '-- x', "# x", '/* x'
read | SELECT '/*!', 1, '*/'
read | SELECT 'a\\b', 'a\n', '\t'
read | SELECT `id` FROM `t`
read | SELECT id AS `FOR UPDATE`, a AS `a``b` FROM t
read | SELECT id AS 'insert' FROM t
read | SELECT `delete`, `Update` FROM `insert`
read | SELECT corpus.t.id FROM corpus.t
read | SELECT t.* FROM t
read | SELECT 1 a, 2 b
read | SELECT 1abc FROM (SELECT 1 AS 1abc) x
read | SELECT -1, - 1, +1, 1-1, 1 - -1, 2*-3, 5 DIV 2, 5 MOD 2, 5 % 2, ~1, !1
read | SELECT 1.5e-3, .5, 1., 1e10
read | SELECT a FROM t WHERE b LIKE '50%' ESCAPE '|'
read | SELECT a FROM t WHERE b REGEXP 'x' OR b RLIKE 'x' OR b SOUNDS LIKE 'x'
read | SELECT INSERT('abc', 1, 2, 'x'), REPLACE('abc', 'a', 'b'), REPEAT('a', 2), LEFT('abc', 1), RIGHT('abc', 1)
read | SELECT TRUNCATE(1.5, 0), MOD(5, 2), CHAR(65), DATABASE(), SCHEMA(), USER(), VERSION(), CONNECTION_ID()
read | SELECT CURRENT_USER, CURRENT_USER(), SESSION_USER(), SYSTEM_USER()
read | SELECT RAND(), UUID(), SLEEP(0), BENCHMARK(1, 1)
read | SELECT GROUP_CONCAT(b ORDER BY id SEPARATOR ',') FROM t
read | SELECT COUNT(DISTINCT a), AVG(a), STD(a), BIT_OR(a) FROM t
read | SELECT MATCH (b) AGAINST ('x') FROM t
read | SELECT @@version, @@version_comment
read | SELECT @@global.read_only, @@session.sql_mode, @@local.sql_mode
read | SELECT @@server_id
read | SELECT @@`version`
read | SELECT f_read()
read | SELECT corpus.f_read()
read | SELECT * FROM v
read | SELECT * FROM information_schema.tables WHERE table_schema = 'corpus'
read | SELECT update_rule, delete_rule FROM information_schema.referential_constraints
read | SELECT * FROM performance_schema.threads LIMIT 0
read only-mysql | SELECT ANY_VALUE(a), BIN_TO_UUID(UUID_TO_BIN(UUID())), REGEXP_LIKE('a', 'a') FROM t
read only-mysql | SELECT * FROM t, LATERAL (SELECT t.a + 1) AS x(c)
read only-mariadb | SELECT * FROM vt FOR SYSTEM_TIME ALL
read only-mariadb | SELECT NVL(a, 1), ADD_MONTHS(NOW(), 1), JSON_COMPACT(j) FROM t
read only-mariadb | SELECT a FROM t LIMIT 1 ROWS EXAMINED 100
read only-mariadb | SELECT a FROM t ORDER BY id OFFSET 1 ROW FETCH FIRST 1 ROW ONLY
read only-mariadb | SELECT * FROM t PROCEDURE ANALYSE()
read | SELECT LOAD_FILE('/nothing')
read | SELECT GET_FORMAT(DATE, 'EUR'), FORMAT(1.5, 1), ELT(1, 'a'), FIELD('a', 'b'), INET_ATON('127.0.0.1')
# --- show, describe, explain ----------------------------------------------------------------------------------------------
read | SHOW TABLES
read | SHOW FULL TABLES LIKE 't%'
read | SHOW DATABASES
read | SHOW COLUMNS FROM t
read | SHOW INDEX FROM t
read | SHOW CREATE TABLE t
read | SHOW CREATE PROCEDURE p_write
read | SHOW TABLE STATUS WHERE Name = 't'
read | SHOW VARIABLES LIKE 'version'
read | SHOW GLOBAL VARIABLES LIKE 'version'
read | SHOW SESSION STATUS LIKE 'Questions'
read | SHOW STATUS LIKE 'Questions'
read | SHOW PROCESSLIST
read | show full processlist
read | SHOW GRANTS
read | SHOW GRANTS FOR CURRENT_USER
read | SHOW GRANTS FOR 'app'@'%'
read | SHOW GRANTS FOR app@'%'
read | SHOW CREATE USER 'app'@'%'
read | SHOW ENGINES
read | SHOW COLLATION LIKE 'utf8mb4_bin'
read | SHOW TRIGGERS
read | SHOW EVENTS
read | SHOW TABLES LIKE 'errors'
read | SHOW BINARY LOGS
read only-mariadb | SHOW SLAVE STATUS
read only-mariadb | SHOW ALL SLAVES STATUS
read only-mysql | SHOW REPLICA STATUS
read | DESCRIBE t
read | DESC t
read | DESC t a
read | DESC `t`
read | DESC corpus.t
read | EXPLAIN t
read | EXPLAIN SELECT 1
read | DESC SELECT * FROM t
read | DESCRIBE SELECT * FROM t
read | EXPLAIN FORMAT=JSON SELECT * FROM t
read | EXPLAIN FORMAT = JSON (SELECT * FROM t)
read | EXPLAIN (SELECT 1) UNION (SELECT 2)
read | EXPLAIN WITH x AS (SELECT 1) SELECT * FROM x
read only-mariadb | EXPLAIN EXTENDED SELECT * FROM t
read only-mariadb | EXPLAIN PARTITIONS SELECT * FROM t
read only-mariadb | ANALYZE SELECT * FROM t
read only-mariadb | ANALYZE FORMAT=JSON SELECT * FROM t
read only-mysql | EXPLAIN ANALYZE SELECT * FROM t
read only-mysql | EXPLAIN ANALYZE FORMAT=TREE SELECT * FROM t
read only-mysql | EXPLAIN FORMAT=TREE TABLE t
read only-mysql | EXPLAIN VALUES ROW(1)
read only-mysql | EXPLAIN FOR SCHEMA corpus SELECT * FROM t
read only-mariadb | HELP 'SELECT'
write | EXPLAIN INSERT INTO t (id) VALUES (300)
write | EXPLAIN UPDATE t SET a = 1
write | EXPLAIN DELETE FROM t
write | EXPLAIN REPLACE INTO t (id) VALUES (300)
write | DESC DELETE FROM t
write | DESCRIBE UPDATE t SET a = 1
write | EXPLAIN FORMAT=JSON DELETE FROM t
write | EXPLAIN /* x */ DELETE FROM t
write silent-mysql{plans locks and takes none} | EXPLAIN SELECT * FROM t FOR UPDATE
write only-mysql | EXPLAIN FOR SCHEMA corpus DELETE FROM t
write only-mysql | EXPLAIN ANALYZE DELETE FROM t
write only-mariadb | ANALYZE UPDATE t SET a = 1
write only-mariadb | ANALYZE FORMAT=JSON DELETE FROM t
session only-mysql silent{stores into a variable} | EXPLAIN FORMAT=JSON INTO @v SELECT * FROM t
session silent{tells of the earlier statement} | SHOW WARNINGS
session silent{tells of the earlier statement} | SHOW ERRORS LIMIT 1
session silent{tells of the earlier statement} | SHOW COUNT(*) WARNINGS
session silent{tells of the earlier statement} | show count(*) errors
session silent{tells of earlier statements} | SHOW PROFILES
# --- locking reads ------------------------------------------------------------------------------------------------------
write | SELECT * FROM t FOR UPDATE
write | SELECT * FROM t FOR UPDATE;
write | select * from t for update
write | SELECT * FROM t FOR⏎UPDATE
write | SELECT * FROM t FOR  UPDATE -- x
write | SELECT * FROM t FOR /* c */ UPDATE # x
write | SELECT * FROM t FOR UPDATE NOWAIT
write | SELECT * FROM t FOR UPDATE SKIP LOCKED
write only-mysql | SELECT * FROM t FOR UPDATE OF t
write only-mysql silent{locks rows} | SELECT * FROM t FOR SHARE
write only-mysql silent{locks rows} | SELECT * FROM t FOR SHARE OF t SKIP LOCKED
write silent{locks rows} | SELECT * FROM t LOCK IN SHARE MODE
write silent{locks rows} | select * from t lock⏎in /* x */ share mode
write only-mariadb silent{locks rows} | SELECT * FROM t LOCK IN SHARE MODE WAIT 1
write | (SELECT * FROM t FOR UPDATE)
write | (SELECT * FROM t) FOR UPDATE
write | SELECT * FROM (SELECT * FROM t FOR UPDATE) x
write silent{locks rows} | SELECT * FROM (SELECT * FROM t LOCK IN SHARE MODE) x
write | WITH x AS (SELECT * FROM t) SELECT * FROM x, t FOR UPDATE
write only-mysql | TABLE t FOR UPDATE
write | SELECT 1 FROM t /*!40000 FOR UPDATE */
write | SELECT 1 FROM t /*! FOR */ UPDATE
write silent{not executed by this server, perhaps by another} | SELECT 1 FROM t /*!99999 FOR UPDATE */
# --- data ------------------------------------------------------------------------------------------------------------------
write | INSERT INTO t (id) VALUES (301)
write | insert into t (id) values (301)
write | INSERT t SET id = 302
write | INSERT IGNORE INTO t (id) VALUES (1)
write | INSERT LOW_PRIORITY INTO t (id) VALUES (303)
write | INSERT INTO t () VALUES ()
write | INSERT INTO t (id, a) SELECT id + 500, a FROM t x
write | INSERT INTO t (id) VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a)
write only-mysql | INSERT INTO t (id, a) VALUES (1, 2) AS n ON DUPLICATE KEY UPDATE a = n.a
write only-mysql | INSERT INTO u TABLE u2
write only-mariadb | INSERT INTO t (id) VALUES (304) RETURNING id
write | /* read */ INSERT INTO t (id) VALUES (305)
write | # SELECT⏎INSERT INTO t (id) VALUES (306)
write | /*! INSERT INTO t (id) VALUES (307) */
write | /*!40000 INSERT */ INTO t (id) VALUES (308)
write | REPLACE INTO t (id) VALUES (1)
write | REPLACE t SET id = 1
write | UPDATE t SET a = 1
write | UPDATE t, u SET t.a = 1 WHERE t.id = u.id
write | UPDATE (t) SET a = 1
write | UPDATE t SET a = 1 ORDER BY id LIMIT 1
write | UPDATE t SET a = LAST_INSERT_ID(a + 1)
write | UPDATE t SET a = 1 WHERE false
write | DELETE FROM t
write | DELETE t FROM t JOIN u ON t.id = u.id
write | DELETE FROM t USING t JOIN u ON t.id = u.id
write only-mariadb | DELETE FROM t WHERE id = 1 RETURNING id
write | TRUNCATE t
write | TRUNCATE TABLE t
write only-mysql | WITH x AS (SELECT 1 AS i) UPDATE t, x SET a = 1 WHERE t.id = x.i
write only-mysql | WITH x AS (SELECT 1 AS i) DELETE FROM t WHERE id IN (SELECT i FROM x)
write error{no file} | LOAD DATA INFILE '/nothing' INTO TABLE t
write noexec{asks the client for a file} | LOAD DATA LOCAL INFILE '/nothing' INTO TABLE t
write error{the folder does not exist} | SELECT * FROM t INTO OUTFILE '/nothing/there'
write error{the folder does not exist} | SELECT id INTO DUMPFILE '/nothing/there' FROM t LIMIT 1
write noexec{writes a file of the server} | SELECT * INTO OUTFILE '/nothing' FROM t
# --- functions ----------------------------------------------------------------------------------------------------------
session silent{needs the session's last insert} | SELECT LAST_INSERT_ID()
session silent{needs the session's last insert} | select last_insert_id ()
session silent{needs the session's last insert} | SELECT `LAST_INSERT_ID`()
session silent{sets the session's last insert} | SELECT LAST_INSERT_ID(5)
session silent{needs the session's last insert} | SELECT * FROM t WHERE id = LAST_INSERT_ID()
session | INSERT INTO t (a) VALUES (LAST_INSERT_ID())
session silent{needs the session's last insert} | SELECT @@last_insert_id
session silent{needs the session's last insert} | SELECT @@identity
session silent{needs the session's last insert} | SELECT @@session.last_insert_id
session silent{needs the session's last insert} | SELECT @@SESSION . last_insert_id
session silent{tells of the earlier statement} | SELECT @@warning_count, @@error_count
session silent{tells of the earlier statement} | SELECT FOUND_ROWS()
session silent{tells of the earlier statement} | SELECT ROW_COUNT()
session silent{keeps a count} | SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1
session silent{keeps a count} | SELECT DISTINCT SQL_CALC_FOUND_ROWS a FROM t LIMIT 1
session silent{holds a lock} | SELECT GET_LOCK('corpus', 0)
session silent{holds a lock} | SELECT get_lock ('corpus', 0)
session silent{holds a lock} | SELECT GET_LOCK /* x */ ('corpus', 0)
session silent{holds a lock} | SELECT GET_LOCK⏎('corpus', 0)
session silent{holds a lock} | SELECT `GET_LOCK`('corpus', 0)
session only-mariadb silent{holds a lock} | SELECT mariadb_schema.GET_LOCK('corpus', 0)
read error{function names are compared letter by letter, so this is another one} | SELECT GET_LÖCK('corpus', 0)
read | SELECT 1 FROM t FOR　UPDATE
session silent{holds a lock} | SELECT id FROM t WHERE GET_LOCK('corpus', 0)
session silent{releases a lock} | SELECT RELEASE_LOCK('corpus')
session silent{releases locks} | SELECT RELEASE_ALL_LOCKS()
write silent{the primary's locks are meant} | SELECT IS_FREE_LOCK('corpus'), IS_USED_LOCK('corpus')
write only-mariadb | SELECT NEXTVAL(s)
write only-mariadb | SELECT NEXT VALUE FOR s
write only-mariadb | SELECT next⏎value for s
write only-mariadb | SELECT SETVAL(s, 10)
session only-mariadb silent{needs the session's last value} | SELECT LASTVAL(s)
session only-mariadb silent{needs the session's last value} | SELECT PREVIOUS VALUE FOR s
session silent{reads a user variable} | SELECT @a
session silent{reads a user variable} | SELECT @`a b`
session silent{reads a user variable} | SELECT @'a'
session silent{reads a user variable} | SELECT * FROM t WHERE a = @a
session silent{assigns a user variable} | SELECT @a := 1
session silent{assigns a user variable} | SELECT @a:=id FROM t
session silent{assigns a user variable} | SELECT @r := @r + 1, t.* FROM t, (SELECT @r := 0) x
session silent{assigns a user variable} | SELECT 1 INTO @a
session silent{assigns a user variable} | SELECT id INTO @a FROM t LIMIT 1
session silent{assigns a user variable} | SELECT id, a FROM t LIMIT 1 INTO @a, @b
session | UPDATE t SET a = @a
session | INSERT INTO t (a) VALUES (@a)
# --- functions that are not known: reads by their text, the server refuses those that write (Safety 3) ---------------------
read unknown{writes} | SELECT f_write()
read unknown{writes} | SELECT corpus.f_write()
read unknown{writes} | SELECT `f_write` ()
read unknown{writes} | SELECT * FROM v_write
# --- schema --------------------------------------------------------------------------------------------------------------
write | CREATE TABLE nt (id INT)
write | CREATE TABLE IF NOT EXISTS t (id INT)
write | CREATE TABLE nt LIKE t
write | CREATE TABLE nt AS SELECT 1 AS a
write only-mariadb | CREATE OR REPLACE TABLE nt (id INT)
write | CREATE TABLE temporary_things (id INT)
session | CREATE TEMPORARY TABLE nt (id INT)
session | create temporary table nt as select 1 as a
session | CREATE TEMPORARY TABLE IF NOT EXISTS nt (id INT) ENGINE=InnoDB
session only-mariadb | CREATE OR REPLACE TEMPORARY TABLE nt (id INT)
session | DROP TEMPORARY TABLE IF EXISTS nothing
write | CREATE INDEX x ON t (a)
write | CREATE VIEW nv AS SELECT 1 AS a
write | CREATE OR REPLACE VIEW nv AS SELECT 1 AS a
write | CREATE DATABASE corpus2
write | CREATE SCHEMA IF NOT EXISTS corpus
write | CREATE USER corpus_user@localhost IDENTIFIED BY 'Corpus-1-secret'
write | CREATE ROLE corpus_role
write | CREATE PROCEDURE np() BEGIN SELECT 1; SET @x = 1; DELETE FROM t; END
write | CREATE PROCEDURE np() SELECT LAST_INSERT_ID()
write | CREATE DEFINER = CURRENT_USER PROCEDURE np() SQL SECURITY INVOKER BEGIN DECLARE x INT; SELECT 1 INTO x; END
write | CREATE FUNCTION nf() RETURNS INT DETERMINISTIC NO SQL BEGIN RETURN 1; END
write | CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1
write | CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = 1; SET @x = 1; END
write | CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO DELETE FROM t
write only-mariadb | CREATE SEQUENCE ns
write | ALTER TABLE t ADD COLUMN c INT
write | ALTER TABLE t ENGINE = InnoDB
write | ALTER DATABASE corpus CHARACTER SET utf8mb4
write | ALTER VIEW v AS SELECT 1 AS a
write | DROP TABLE u
write | DROP TABLE IF EXISTS nothing
write | DROP VIEW v
write | DROP PROCEDURE p_read
write | DROP DATABASE IF EXISTS nothing
write | RENAME TABLE u TO u3
write | GRANT SELECT ON corpus.* TO 'app'@'%'
write | REVOKE SELECT ON corpus.* FROM 'app'@'%'
write | DROP USER IF EXISTS nobody@localhost
# --- running code -------------------------------------------------------------------------------------------------------
write | CALL p_write()
write silent{what a procedure does is not seen} | CALL p_read()
write silent{what a procedure does is not seen} | call corpus.p_read
session silent{what a procedure does is not seen, and @a is the session's} | CALL p_out(@a)
write silent{runs what it is given} | DO 1
write silent{runs what it is given} | DO SLEEP(0)
session silent{holds a lock} | DO GET_LOCK('corpus', 0)
session silent{releases a lock} | DO RELEASE_LOCK('corpus')
write only-mariadb silent{what a block does is not seen} | BEGIN NOT ATOMIC SELECT 1; SELECT 2; END
write only-mariadb | BEGIN NOT ATOMIC DELETE FROM t; END
write only-mariadb silent{settings for the statement behind it} | SET STATEMENT max_statement_time = 10 FOR SELECT 1
write only-mariadb | SET STATEMENT max_statement_time = 10 FOR DELETE FROM t
# --- maintenance --------------------------------------------------------------------------------------------------------
write | ANALYZE TABLE t
write | ANALYZE LOCAL TABLE t
write | OPTIMIZE TABLE t
write | REPAIR TABLE t
write silent{works on its server} | CHECK TABLE t
write silent{works on its server} | CHECKSUM TABLE t
write silent{works on its server} | FLUSH TABLES
write silent{works on its server} | FLUSH STATUS
write silent{works on its server} | FLUSH LOGS
session silent{holds locks in the session} | FLUSH TABLES WITH READ LOCK
session | FLUSH TABLES t WITH READ LOCK
session | FLUSH TABLES t FOR EXPORT
write error{no such thread} | KILL 4000000000
write error{no such thread} | KILL QUERY 4000000000
write noexec{stops the server} | SHUTDOWN
write noexec{stops the server} | RESTART
write noexec{takes the server's log away} | RESET MASTER
write noexec{takes the server's log away} | PURGE BINARY LOGS BEFORE '2000-01-01'
write noexec{stops replication} | STOP SLAVE
write noexec{stops replication} | STOP REPLICA
write noexec{starts replication} | START SLAVE
write noexec{starts replication} | START REPLICA
write noexec{changes replication} | CHANGE MASTER TO MASTER_HOST = 'x'
write noexec{changes replication} | CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'x'
write noexec{changes the server} | INSTALL PLUGIN x SONAME 'x.so'
write noexec{changes the server} | UNINSTALL PLUGIN x
session noexec{replays events} | BINLOG 'x'
write error{no such cache} | CACHE INDEX t IN nothing
write silent{works on its server} | SET GLOBAL slow_launch_time = 2
write silent{works on its server} | SET @@global.slow_launch_time = 2
write silent{works on its server} | SET @@GLOBAL.slow_launch_time = 2, @@global.slow_launch_time = 2
write only-mysql noexec{changes the server's configuration} | SET PERSIST slow_launch_time = 2
write noexec{locks the tests out} | SET PASSWORD = 'x'
write noexec{changes an account} | SET PASSWORD FOR 'app'@'%' = 'x'
# --- session -------------------------------------------------------------------------------------------------------------
session silent{sets a user variable} | SET @a = 1
session silent{sets a user variable} | SET @a := 1, @b = 2
session silent{changes a setting of the session} | SET sql_mode = ''
session silent{changes a setting of the session} | set session sql_mode = ''
session silent{changes a setting of the session} | SET SESSION sql_mode = '', LOCAL time_zone = '+00:00'
session silent{changes a setting of the session} | SET @@sql_mode = ''
session silent{changes a setting of the session} | SET @@session.sql_mode = ''
session silent{changes a setting of the session} | SET GLOBAL slow_launch_time = 2, SESSION sql_mode = ''
session silent{changes a setting of the session} | SET @@global.slow_launch_time = 2, @@sql_mode = ''
session silent{changes a setting of the session} | SET @@global.slow_launch_time = 2, sql_mode = ''
session silent{changes a setting of the session} | SET NAMES utf8mb4
session silent{changes a setting of the session} | SET CHARACTER SET utf8mb4
session silent{changes a setting of the session} | SET time_zone = '+00:00'
session silent{changes a setting of the session} | SET autocommit = 0
session silent{changes a setting of the session} | SET AUTOCOMMIT=1
session silent{changes a setting of the session} | SET ROLE NONE
session silent{changes the access mode} | SET SESSION TRANSACTION READ WRITE
session silent{changes the access mode} | SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
session autocommit silent{changes the next transaction} | SET TRANSACTION READ WRITE
session autocommit silent{changes the next transaction} | SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
session silent{changes a setting of the session} | /*!40101 SET sql_mode = '' */
session silent{changes a setting of the session} | /*!40101 SET NAMES utf8mb4 */;
session silent{changes the session's database} | USE corpus
session silent{changes the session's database} | use `corpus`
session silent-mysql{holds locks in the session} silent-mariadb{holds locks in the session} | LOCK TABLES t READ
session | LOCK TABLES t WRITE
session | LOCK TABLE t READ, u WRITE
session silent{releases locks} | UNLOCK TABLES
session silent{keeps a table open} | HANDLER t OPEN
session after{HANDLER t OPEN} silent{needs an open table} | HANDLER t READ FIRST
session after{HANDLER t OPEN} silent{needs an open table} | HANDLER t CLOSE
session silent{keeps a statement} | PREPARE p FROM 'SELECT 1'
session after{PREPARE p FROM 'SELECT 1'} silent{needs a statement} | EXECUTE p
session after{PREPARE p FROM 'DELETE FROM t'} | EXECUTE p
session after{PREPARE p FROM 'SELECT ?'} silent{needs a statement and a variable} | EXECUTE p USING @a
session only-mariadb silent{runs text} | EXECUTE IMMEDIATE 'SELECT 1'
session after{PREPARE p FROM 'SELECT 1'} silent{forgets a statement} | DEALLOCATE PREPARE p
session after{PREPARE p FROM 'SELECT 1'} silent{forgets a statement} | DROP PREPARE p
session silent{tells of the earlier statement} | GET DIAGNOSTICS @a = NUMBER
session silent{tells of the earlier statement} | GET DIAGNOSTICS CONDITION 1 @a = MESSAGE_TEXT
session only-mysql noexec{holds a lock on the server} | LOCK INSTANCE FOR BACKUP
session only-mariadb noexec{holds a lock on the server} | BACKUP STAGE START
session only-mariadb noexec{holds a lock on the server} | BACKUP LOCK t
write error{raises what it is told} | SIGNAL SQLSTATE '45000'
# --- transactions --------------------------------------------------------------------------------------------------------
control silent{opens a transaction} | BEGIN
control silent{opens a transaction} | begin work
control silent{opens a transaction} | START TRANSACTION
control silent{opens a transaction} | START TRANSACTION READ ONLY
control silent{opens a transaction} | START TRANSACTION WITH CONSISTENT SNAPSHOT
control | /* x */ START TRANSACTION READ WRITE
control silent{ends a transaction} | COMMIT
control silent{ends a transaction} | COMMIT AND CHAIN
control silent{ends a transaction} | ROLLBACK
control silent{ends a transaction} | ROLLBACK WORK
control after{BEGIN} silent{keeps a savepoint} | SAVEPOINT a
control after{BEGIN; SAVEPOINT a} silent{keeps a savepoint} | ROLLBACK TO SAVEPOINT a
control after{BEGIN; SAVEPOINT a} silent{keeps a savepoint} | RELEASE SAVEPOINT a
control silent{opens a transaction} | XA START 'corpus'
control silent{tells of prepared transactions} | XA RECOVER
control error{no such transaction} | XA COMMIT 'nothing'
control error{no such transaction} | XA ROLLBACK 'nothing'
# --- several statements: the protocol flag is off, so the server refuses the text ---------------------------------------------
read error{several statements} | SELECT 1; SELECT 2
write error{several statements} | SELECT 1; DELETE FROM t
write error{several statements} | SELECT 1;DELETE FROM t;
write error{several statements} | DELETE FROM t; SELECT 1
write error{several statements} | SELECT 1 # x⏎; DELETE FROM t
write error{several statements} | SELECT 1; SELECT * FROM t FOR UPDATE
session error{several statements} | SELECT 1; SET @a = 1
control error{several statements} | SELECT 1; COMMIT
# --- texts that can be read in more than one way, or not at all ---------------------------------------------------------------
write silent{with NO_BACKSLASH_ESCAPES the string ends before the s} | SELECT 'it\'s'
write silent{with ANSI_QUOTES the name ends before the b} | SELECT "a\"b"
write error{two statements by default, one with NO_BACKSLASH_ESCAPES} | SELECT 'a\', '; DELETE FROM t; -- '
write error{with backslashes it deletes} | SELECT 'a\\'; DELETE FROM t; -- '
session error{with ANSI_QUOTES a call} | SELECT "GET_LOCK"('corpus', 0)
write silent{an executable comment before the first word} | /*! SELECT */ 1
write error{executed where the version fits} | SELECT 1 /*!99999 ; DELETE FROM t */ ; SELECT 2
write silent{a quote inside an executable comment} | SELECT 1 /*!99999 ' */ + 1 /* ' */
write silent{a quote in a hint, which not every server reads} | SELECT /*+ QB_NAME(`a`) */ 1
write error{a dollar quote on some servers} | SELECT $$a$$
write error{unterminated} | SELECT 'abc
write error{unterminated} | SELECT "abc
write error{unterminated} | SELECT `abc
write error{unterminated} | SELECT 1 /* abc
write error{unterminated} | SELECT 1 /*! + 1
write error{unterminated} | SELECT 'abc\'
write error{no statement} | FROBNICATE t
write error{no statement} | SELEC 1
write error{no statement} | 1
write error{no statement} | 'SELECT 1'
write error{no statement} | `SELECT` 1
write error{a word too many} | INSERT
write error{PostgreSQL only} | LISTEN c
write error{PostgreSQL only} | COPY t FROM '/nothing'
write error{PostgreSQL only} | VACUUM
write error{PostgreSQL only} | MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE
write silent{nothing to run} | -- nothing
write silent{nothing to run} | /* nothing */
write silent{nothing to run} | # nothing
# --- SELECT, clause by clause ------------------------------------------------------------------------------------------------
read | SELECT ALL a FROM t
read | SELECT DISTINCTROW a FROM t
read | SELECT SQL_BIG_RESULT a, COUNT(*) FROM t GROUP BY a
read | SELECT SQL_BUFFER_RESULT * FROM t
read only-mariadb | SELECT SQL_CACHE a FROM t
read | SELECT a AS x, b y, id AS `z`, j 'q' FROM t
read | SELECT t.*, u.id FROM t, u
read | SELECT 1 FROM DUAL
read | SELECT 1 FROM DUAL WHERE 1 = 1
read | SELECT COUNT(*) FROM t
read | SELECT COUNT(DISTINCT a, b) FROM t
read | SELECT * FROM t AS x WHERE x.a = 1
read | SELECT * FROM (SELECT 1 AS n UNION SELECT 2) AS x WHERE n > 1
read only-mysql | SELECT * FROM (SELECT a, b FROM t) AS x (p, q)
read only-mysql | SELECT * FROM (VALUES ROW(1, 'a'), ROW(2, 'b')) AS x (n, s)
read only-mysql | SELECT * FROM (TABLE t) x
read only-mariadb | SELECT * FROM (VALUES (1, 'a'), (2, 'b')) x
read | SELECT * FROM t INNER JOIN u ON t.id = u.id
read | SELECT * FROM t RIGHT OUTER JOIN u ON t.id = u.id
read | SELECT * FROM t CROSS JOIN u
read | SELECT * FROM t STRAIGHT_JOIN u ON t.id = u.id
read | SELECT * FROM t NATURAL LEFT JOIN u
read | SELECT * FROM t LEFT JOIN (u, u2) ON u.id = t.id AND u2.id = t.id
read | SELECT * FROM (t, u)
read | SELECT * FROM { OJ t LEFT OUTER JOIN u ON t.id = u.id }
read | SELECT * FROM t USE INDEX (PRIMARY), u IGNORE INDEX (PRIMARY)
read | SELECT * FROM t FORCE INDEX FOR GROUP BY (PRIMARY) GROUP BY id
read | SELECT * FROM t USE INDEX ()
read | SELECT * FROM pt PARTITION (p0, p1) AS x
read only-mysql | SELECT * FROM t JOIN LATERAL (SELECT * FROM u WHERE u.id = t.id LIMIT 1) l ON TRUE
read | SELECT * FROM t WHERE a IS NULL OR a IS NOT NULL
read | SELECT * FROM t WHERE a <=> NULL AND a <> 1 AND a != 2
read | SELECT * FROM t WHERE (a = 1) IS TRUE OR (a = 2) IS NOT UNKNOWN
read | SELECT * FROM t WHERE a BETWEEN 1 AND 2 AND id NOT BETWEEN 5 AND 9
read | SELECT * FROM t WHERE b LIKE 'a%' AND b NOT LIKE 'A_' ESCAPE '#'
read | SELECT * FROM t WHERE b REGEXP '^a' AND b NOT RLIKE 'z'
read | SELECT * FROM t WHERE a > ANY (SELECT id FROM u) OR a <> ALL (SELECT id FROM u) OR a = SOME (SELECT id FROM u)
read | SELECT * FROM t WHERE (a, b) = (1, 'x') OR ROW(a, id) < ROW(1, 2)
read | SELECT * FROM t WHERE NOT EXISTS (SELECT * FROM u WHERE u.id = t.id)
read | SELECT * FROM t WHERE id = (SELECT MAX(id) FROM u)
read | SELECT * FROM t WHERE b COLLATE utf8mb4_bin > 'a'
read | SELECT * FROM t WHERE a = 1 AND b = 'x' OR NOT a XOR 1 && 2 || 0
read | SELECT a FROM t ORDER BY b COLLATE utf8mb4_bin DESC, 1, RAND()
read | SELECT a FROM t ORDER BY FIELD(a, 2, 1), ISNULL(a), a IS NULL
read | SELECT a FROM t LIMIT 5
read only-mysql | SELECT a, b, COUNT(*) FROM t GROUP BY a, b WITH ROLLUP HAVING COUNT(*) > 0 ORDER BY NULL
read | SELECT SUM(a) FROM t HAVING SUM(a) > 0
read | SELECT a FROM t UNION DISTINCT SELECT id FROM u
read | (SELECT a FROM t ORDER BY id LIMIT 1) UNION ALL (SELECT id FROM u ORDER BY id LIMIT 1) ORDER BY 1 LIMIT 5
read | SELECT a FROM t EXCEPT ALL SELECT id FROM u
read | SELECT a FROM t INTERSECT ALL SELECT id FROM u
read only-mysql | TABLE t UNION TABLE t LIMIT 1
read only-mysql | TABLE t LIMIT 1 OFFSET 1
read only-mysql | VALUES ROW(1, 2), ROW(3, 4) ORDER BY column_0 DESC LIMIT 1
read only-mysql | (TABLE t)
read only-mariadb | SELECT a FROM t ORDER BY id FETCH NEXT 2 ROWS WITH TIES
read only-mariadb | SELECT a FROM t ORDER BY id LIMIT 1, 2 ROWS EXAMINED 1000
read only-mariadb | SELECT id FROM vt FOR SYSTEM_TIME AS OF NOW()
read only-mariadb | SELECT id FROM vt FOR SYSTEM_TIME BETWEEN '2020-01-01' AND NOW()
read only-mariadb | SELECT id FROM vt FOR SYSTEM_TIME FROM '2020-01-01' TO NOW()
read only-mariadb | SELECT id, ROW_START, ROW_END FROM vt FOR SYSTEM_TIME ALL
read only-mariadb | SELECT * FROM t PROCEDURE ANALYSE(10, 100)
# --- common table expressions ------------------------------------------------------------------------------------------------
read | WITH RECURSIVE tree AS (SELECT id, a, 1 AS depth FROM t WHERE a = 1 UNION ALL SELECT t.id, t.a, depth + 1 FROM t JOIN tree ON t.a = tree.id WHERE depth < 3) SELECT * FROM tree
read | WITH x AS (SELECT a FROM t), y AS (SELECT a FROM x) SELECT (SELECT COUNT(*) FROM x), (SELECT COUNT(*) FROM y)
read | WITH x AS (SELECT 1 AS `insert`) SELECT `insert` FROM x
read | WITH updates AS (SELECT 1 AS deleted) SELECT deleted FROM updates
read | WITH x AS (SELECT 1 AS n) (SELECT n FROM x) UNION ALL (SELECT n + 1 FROM x) ORDER BY 1
read | SELECT (WITH x AS (SELECT 1 AS n) SELECT n FROM x)
read | SELECT * FROM t WHERE id IN (WITH x AS (SELECT 1 AS n) SELECT n FROM x)
read | WITH x (p, q) AS (SELECT id, a FROM t), y AS (SELECT id FROM u) SELECT * FROM x LEFT JOIN y ON x.p = y.id
read only-mysql | WITH x AS (TABLE t) SELECT * FROM x
read only-mysql | WITH x (n) AS (VALUES ROW(1), ROW(2)) SELECT SUM(n) FROM x
read only-mysql | WITH x AS (SELECT 1 AS n) TABLE x
read only-mariadb | WITH RECURSIVE x AS (SELECT id, a FROM t UNION ALL SELECT t.id, t.a FROM t JOIN x ON t.a = x.id) CYCLE id, a RESTRICT SELECT * FROM x
write only-mysql | WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 3) DELETE FROM t WHERE id IN (SELECT n FROM x)
write only-mysql | WITH `select` AS (SELECT 1 AS i) UPDATE t JOIN `select` ON t.id = `select`.i SET a = 5
write | INSERT INTO u WITH x AS (SELECT 701 AS n) SELECT n FROM x
write | REPLACE INTO u WITH x AS (SELECT 702 AS n) SELECT n FROM x
write | WITH x AS (SELECT 1 AS id) SELECT * FROM t JOIN x USING (id) FOR UPDATE
write silent{locks rows} | WITH x AS (SELECT 1 AS id) SELECT * FROM t JOIN x USING (id) LOCK IN SHARE MODE
write silent{locks rows} | WITH x AS (SELECT * FROM t LOCK IN SHARE MODE) SELECT * FROM x
write only-mariadb | WITH x AS (SELECT NEXT VALUE FOR s AS n) SELECT * FROM x
# --- window functions and aggregates -----------------------------------------------------------------------------------------
read | SELECT RANK() OVER w, DENSE_RANK() OVER w, PERCENT_RANK() OVER w, CUME_DIST() OVER w FROM t WINDOW w AS (PARTITION BY a ORDER BY id)
read | SELECT LAG(a) OVER (ORDER BY id), LEAD(a, 2) OVER (ORDER BY id), FIRST_VALUE(a) OVER (ORDER BY id), NTH_VALUE(a, 2) OVER (ORDER BY id), NTILE(4) OVER (ORDER BY id) FROM t
read | SELECT LAST_VALUE(id) OVER (ORDER BY id RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), SUM(a) OVER (ORDER BY id ROWS 2 PRECEDING) FROM t
read | SELECT COUNT(*) OVER (), AVG(a) OVER (PARTITION BY b) FROM t
read | SELECT GROUP_CONCAT(DISTINCT b ORDER BY b DESC SEPARATOR '; '), JSON_ARRAYAGG(id), JSON_OBJECTAGG(id, b) FROM t
read | SELECT BIT_AND(a), BIT_OR(a), BIT_XOR(a), STDDEV_POP(a), STDDEV_SAMP(a), VAR_POP(a), VAR_SAMP(a), VARIANCE(a), MAX(b), MIN(b) FROM t
read only-mysql | SELECT a, GROUPING(a) FROM t GROUP BY a WITH ROLLUP
read only-mariadb | SELECT MEDIAN(a) OVER (PARTITION BY b), PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) OVER (PARTITION BY b) FROM t
# --- expressions -------------------------------------------------------------------------------------------------------------
read | SELECT CASE a WHEN 1 THEN 'one' WHEN 2 THEN 'two' END, CASE WHEN a > 1 THEN (CASE WHEN a > 2 THEN 1 END) ELSE 0 END FROM t
read | SELECT a + 1, a - 1, a * 2, a / 2, a DIV 2, a % 2, a MOD 2, a & 1, a | 2, a ^ 3, ~a, a << 1, a >> 1, -a, !a FROM t
read | SELECT IF(a > 1, 'x', IF(a > 0, 'y', 'z')), IFNULL(NULL, 1), NULLIF(a, 1), COALESCE(NULL, a, (SELECT 1)) FROM t
read | SELECT CONCAT('a', b), CONCAT_WS(',', 'a', NULL, 'b'), LOWER(b), UCASE(b), LENGTH(b), CHAR_LENGTH(b), SUBSTR(b, 1, 2), MID(b, 1), SUBSTRING_INDEX(b, '.', 1), LOCATE('a', b), INSTR(b, 'a') FROM t
read | SELECT LPAD('a', 3, '0'), RPAD('a', 3, '0'), LTRIM(' a'), RTRIM('a '), TRIM(LEADING 'x' FROM 'xa'), REVERSE('ab'), SPACE(3), STRCMP('a', 'b'), SOUNDEX('a'), QUOTE('a'), HEX('a'), UNHEX('61'), ORD('a'), ASCII('a'), BIN(5), OCT(8), CONV('ff', 16, 10)
read | SELECT REGEXP_REPLACE('a', 'a', 'b'), REGEXP_SUBSTR('abc', 'b'), REGEXP_INSTR('abc', 'b')
read only-mariadb | SELECT MD5('a'), SHA1('a'), SHA2('a', 256), CRC32('a'), TO_BASE64('a'), FROM_BASE64('YQ=='), COMPRESS('a'), UNCOMPRESS(COMPRESS('a')), AES_ENCRYPT('a', 'k'), RANDOM_BYTES(4)
read | SELECT ABS(-1), CEIL(1.5), FLOOR(1.5), ROUND(1.55, 1), SIGN(-1), SQRT(4), POW(2, 3), LN(1), LOG(10), LOG2(8), LOG10(100), EXP(1), PI(), DEGREES(1), RADIANS(1), SIN(0), COS(0), TAN(0), COT(1), ATAN2(1, 1)
read | SELECT CURDATE(), CURTIME(), CURRENT_DATE, CURRENT_TIME(3), CURRENT_TIMESTAMP(6), LOCALTIME, LOCALTIMESTAMP(), UTC_DATE, UTC_TIME(), NOW(6)
read | SELECT DATE_FORMAT(NOW(), '%Y-%m-%d %H:%i:%s'), STR_TO_DATE('2020', '%Y'), FROM_UNIXTIME(0), UNIX_TIMESTAMP('2020-01-01'), LAST_DAY(NOW()), DAYNAME(NOW()), WEEK(NOW(), 3), YEARWEEK(NOW()), MAKEDATE(2020, 1), SEC_TO_TIME(60), TIME_FORMAT('10:00', '%H')
read | SELECT DATE_SUB(NOW(), INTERVAL '1:30' MINUTE_SECOND), ADDDATE(NOW(), 1), TIMESTAMPADD(HOUR, 1, NOW()), PERIOD_DIFF(202001, 201901), DATEDIFF(NOW(), NOW()), NOW() + INTERVAL 1 MONTH, INTERVAL 1 DAY + NOW(), CONVERT_TZ(NOW(), '+00:00', '+01:00')
read | SELECT EXTRACT(DAY_HOUR FROM NOW()), YEAR(NOW()), QUARTER(NOW()), MICROSECOND(NOW()), TIMEDIFF('10:00', '09:00'), TO_DAYS(NOW()), GET_FORMAT(TIMESTAMP, 'ISO')
read | SELECT CAST('1' AS SIGNED INTEGER), CAST(a AS DECIMAL(10, 2)), CAST('2020-01-01' AS DATETIME(6)), CAST(a AS CHAR CHARACTER SET utf8mb4), CONVERT('a', BINARY), CAST(1 AS DOUBLE), CAST('10:00' AS TIME) FROM t
read only-mysql | SELECT CAST('[1]' AS JSON), CAST(1 AS FLOAT), CAST(2020 AS YEAR), CAST('1' AS NCHAR)
read | SELECT BINARY 'a' = 'A', _latin1'a' COLLATE latin1_bin, _binary 'a', n'national', X'41', x'41', 0x41, B'1', b'1', 0b1
read | SELECT JSON_EXTRACT(j, '$.a', '$.b'), JSON_SET(j, '$.a', 1), JSON_INSERT(j, '$.z', 1), JSON_REPLACE(j, '$.a', 2), JSON_REMOVE(j, '$.a'), JSON_MERGE_PATCH(j, '{}'), JSON_MERGE_PRESERVE(j, '{}') FROM t
read | SELECT JSON_CONTAINS(j, '1', '$.a'), JSON_CONTAINS_PATH(j, 'one', '$.a'), JSON_KEYS(j), JSON_LENGTH(j), JSON_TYPE(j), JSON_VALID('{}'), JSON_SEARCH(j, 'one', 'x'), JSON_DEPTH(j), JSON_QUOTE('a'), JSON_ARRAY(1, 'a', NULL) FROM t
read | SELECT JSON_VALUE(j, '$.a'), JSON_OVERLAPS('[1]', '[1, 2]'), JSON_ARRAY_APPEND('[1]', '$', 2), JSON_ARRAY_INSERT('[1]', '$[0]', 2) FROM t
read only-mysql | SELECT JSON_PRETTY(j), JSON_STORAGE_SIZE(j), JSON_SCHEMA_VALID('{}', j), 1 MEMBER OF ('[1, 2]'), j->'$.a', j->>'$.a' FROM t
read only-mysql | SELECT JSON_VALUE(j, '$.a' RETURNING UNSIGNED DEFAULT 0 ON EMPTY NULL ON ERROR) FROM t
read only-mariadb | SELECT JSON_DETAILED(j), JSON_LOOSE(j), JSON_EXISTS(j, '$.a'), JSON_QUERY(j, '$'), JSON_EQUALS(j, j), JSON_NORMALIZE(j) FROM t
read | SELECT x.* FROM t, JSON_TABLE(t.j, '$' COLUMNS (n FOR ORDINALITY, a INT PATH '$.a' DEFAULT '0' ON EMPTY NULL ON ERROR, e INT EXISTS PATH '$.b', NESTED PATH '$.c[*]' COLUMNS (d INT PATH '$'))) AS x
read | SELECT ST_AsText(ST_GeomFromText('POINT(1 2)')), ST_X(POINT(1, 2)), ST_Distance(POINT(0, 0), POINT(1, 1)), ST_Contains(ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'), POINT(0, 0))
read | SELECT MATCH (b) AGAINST ('x y' IN NATURAL LANGUAGE MODE), MATCH (b) AGAINST ('+x -y' IN BOOLEAN MODE), MATCH (b) AGAINST ('x' WITH QUERY EXPANSION) FROM t
read | SELECT INET_NTOA(1), INET6_NTOA(INET6_ATON('::1')), IS_IPV4('1.1.1.1'), UUID_SHORT() > 0, LENGTH(UUID()), CHARSET('a'), COLLATION('a'), COERCIBILITY('a')
read | SELECT MAKE_SET(1, 'a', 'b'), EXPORT_SET(5, 'Y', 'N'), FIND_IN_SET('a', 'a,b'), INTERVAL(1, 2, 3), NAME_CONST('x', 1), BIT_COUNT(5), FORMAT(1234.5, 2, 'de_DE'), EXTRACTVALUE('<a>1</a>', '/a'), UPDATEXML('<a/>', '/a', '<b/>')
read only-mysql | SELECT DEFAULT(a), VALUES(a) FROM t
read | SELECT DEFAULT(a) FROM t
read only-mysql | SELECT VECTOR_DIM(STRING_TO_VECTOR('[1,2]')), VECTOR_TO_STRING(TO_VECTOR('[1]')), ROLES_GRAPHML(), IS_UUID(UUID())
read only-mariadb | SELECT NVL2(a, 1, 2), DECODE_ORACLE(a, 1, 'x'), CHR(65), TO_CHAR(NOW(), 'YYYY'), LENGTHB('a'), SYS_GUID(), NATURAL_SORT_KEY('a1'), SFORMAT('{}', 1), ROWNUM(), SUBSTR('a', 1), CRC32C('a'), RANDOM_BYTES(2) FROM t
read only-mariadb | SELECT COLUMN_GET(COLUMN_CREATE('a', 1), 'a' AS INT), COLUMN_JSON(COLUMN_CREATE('a', 1)), COLUMN_LIST(COLUMN_ADD(COLUMN_CREATE('a', 1), 'b', 2)), COLUMN_CHECK(COLUMN_DELETE(COLUMN_CREATE('a', 1), 'a'))
read only-mariadb | SELECT DES_ENCRYPT('a'), ENCODE('a', 'b'), DECODE(ENCODE('a', 'b'), 'b'), OLD_PASSWORD('a'), PASSWORD('a'), ENCRYPT('a', 'ab')
read only-mariadb | SELECT BINLOG_GTID_POS('', 4), MASTER_GTID_WAIT('', 0), MASTER_POS_WAIT('x', 4, 0)
read only-mysql | SELECT WAIT_FOR_EXECUTED_GTID_SET('', 0)
read | SELECT DATABASE(), USER(), CURRENT_USER(), VERSION(), CONNECTION_ID(), CURRENT_ROLE(), SCHEMA(), SESSION_USER(), SYSTEM_USER()
read only-mariadb | SELECT SLEEP(0), BENCHMARK(10, MD5('a')), RAND(5), RAND() * 100
# --- lexical traps -----------------------------------------------------------------------------------------------------------
read | SELECT/**/a/**/FROM/**/t
read | SELECT(1)
read | SELECT+1
read | SELECT'x'
read | SELECT"x"
read | SELECT`id`FROM`t`
read | SELECT*FROM t
read | SELECT-1
read | SELECT--1
read | SELECT- -1
read | SELECT!1
read | SELECT~1
read | SELECT 1e1e FROM (SELECT 1 AS e) y
read | SELECT a FROM t WHERE id=1-- FOR UPDATE
read | SELECT a FROM t WHERE id=1#FOR UPDATE
read | SELECT a FROM t WHERE id=1/*FOR UPDATE*/
read | SELECT 5 --␉ FOR UPDATE
read | SELECT 5 - --3
read | SELECT 1 /* -- */ + 1
read | SELECT 1 /* # */ + 1
read | SELECT 1 -- /*⏎ + 1 -- */
read | SELECT 1 # /*⏎ + 1 # */
read | SELECT 1 /* ' */ + 1 /* " */ + 1 /* ` */
read | SELECT 1 -- ' " ` /*
read | SELECT 1 # ' " ` /*
read | SELECT 1 /* /* */
read | SELECT 1 /* /* nested is nothing */ + 1
read | SELECT '/*', 1, '*/', "--", '#', "# x", '-- x'
read | SELECT `a/*` FROM (SELECT 1 AS `a/*`) x
read | SELECT `a-- b`, `a;b`, `a'b`, `a"b`, `a#b` FROM (SELECT 1 AS `a-- b`, 2 AS `a;b`, 3 AS `a'b`, 4 AS `a"b`, 5 AS `a#b`) x
read | SELECT ```` FROM (SELECT 1 AS ````) x
read | SELECT a$b FROM (SELECT 1 AS a$b) x
read | SELECT $a FROM (SELECT 1 AS $a) x
read | SELECT 1st, 2nd FROM (SELECT 1 AS 1st, 2 AS 2nd) x
read | SELECT été, `ÉTÉ` FROM (SELECT 1 AS été) x
read | SELECT 'a' 'b' "c"
read | SELECT 'a'⏎'b'
read | SELECT 'FOR' ' UPDATE'
read | SELECT '\\', '\n\r\t\0\Z\b\%\_'
read | SELECT 'it''s; DELETE FROM t; -- '
read | SELECT "say ""x""; DELETE FROM t"
read | SELECT 'a\\' , 'b'
write silent{with NO_BACKSLASH_ESCAPES the string ends before the semicolon} | SELECT '\'; DELETE FROM t; -- '
write silent{with NO_BACKSLASH_ESCAPES the string ends before the semicolon} | SELECT "\"; DELETE FROM t; -- "
write silent{with NO_BACKSLASH_ESCAPES the string ends sooner} | SELECT 'C:\\dir\''
read | SELECT 1 WHERE 1<2 AND 2>1 AND 1<>2 AND 1!=2 AND 1<=2 AND 2>=1 AND 1<=>1
read | SELECT t . id , corpus . t . a FROM corpus . t
read | SELECT `corpus`.`t`.`id` FROM `corpus`.`t`
read only-mariadb | SELECT .t.id FROM t
read | SELECT id FROM t ORDER BY id DESC, a ASC;
read | SELECT␉a␉FROM␉t
read | select⏎⏎a⏎from⏎t
read | /* one */ /* two */ -- three⏎ # four⏎ SELECT /* five */ 1 -- six
read | --␉⏎SELECT 1
read | #⏎#⏎SELECT 1
read | /* traceparent='00-0af7-b7ad-01',route='%2Fpolls' */ SELECT 1
read | SELECT 1 /*action='run+this',framework='rails%3A7'*/
read | SELECT x.update, x.delete, x.insert, x.replace FROM (SELECT 1 AS `update`, 2 AS `delete`, 3 AS `insert`, 4 AS `replace`) x
read | SELECT x.for, x.lock, x.into FROM (SELECT 1 AS `for`, 2 AS `lock`, 3 AS `into`) x
read | SELECT share, mode, locked, skip, nowait FROM (SELECT 1 AS share, 2 AS mode, 3 AS locked, 4 AS skip, 5 AS nowait) x
read | SELECT 1 AS 'FOR UPDATE', 2 AS "LOCK IN SHARE MODE", 3 AS `INTO @a`
read | SELECT COUNT(*) AS `COUNT(*) FOR UPDATE` FROM t
read | SELECT REPLACE (b, 'a', 'b'), INSERT (b, 1, 1, 'x') FROM t
read | SELECT last_insert_id FROM (SELECT 1 AS last_insert_id) x
read | SELECT x.get_lock, x.found_rows FROM (SELECT 1 AS get_lock, 2 AS found_rows) x
read | SELECT 'a@b.c', "@a", `@a` FROM (SELECT 1 AS `@a`) x
read | SELECT * FROM t WHERE b = '@a := 1'
read | SELECT 1 AS begin, 2 AS commit, 3 AS temporary, 4 AS handler
# --- hints and executable comments -------------------------------------------------------------------------------------------
read | SELECT /*+ SET_VAR(sort_buffer_size = 262144) */ 1
read | SELECT /*+ BKA(t) NO_BNL(u) */ * FROM t, u
read | SELECT /*+ JOIN_ORDER(t, u) */ * FROM t, u
read | SELECT /*+ SEMIJOIN(MATERIALIZATION) */ * FROM t WHERE id IN (SELECT id FROM u)
read | SELECT /*+ INDEX(t PRIMARY) */ * FROM t
read | SELECT /*+ RESOURCE_GROUP(USR_default) */ 1
read | SELECT /*! STRAIGHT_JOIN */ * FROM t, u
read | SELECT /*!50000 1 + */ 1
read | SELECT 1 /*!50000 + 1 */ /*!80000 + 1 */
read | SELECT 1 /*!999999 + 1 */
read | SELECT /*!40001 SQL_NO_CACHE */ /*!32302 SQL_BUFFER_RESULT */ a FROM t
read | SELECT /*M!100100 1 + */ 2
read | SELECT /*M! 1 + */ 2
read | SELECT * FROM t /*!50100 FORCE INDEX (PRIMARY) */ /*!80000 WHERE id = 1 */
read | SELECT 1 /*!50000⏎ + 1⏎*/
write silent{an executable comment before the first word} | /*!50000 SELECT */ 1
write | /*!40000 ALTER TABLE t DISABLE KEYS */
write | /*!50003 DROP PROCEDURE IF EXISTS nothing */;
write | /*!50001 CREATE VIEW nv AS SELECT 1 AS a */
write | SELECT * FROM t /*!50000 FOR UPDATE */
write silent{locks rows} | SELECT * FROM t /*!50000 LOCK IN SHARE MODE */
write silent{locks rows} | SELECT * FROM t LOCK /*!50000 IN SHARE MODE */
write | SELECT * FROM t FOR /*!50000 UPDATE */
session silent{stores into a variable} | SELECT 1 /*!50000 INTO @a */
session silent{holds a lock} | SELECT /*!50000 GET_LOCK('corpus', 0) */
session silent{keeps a count} | SELECT /*!50000 SQL_CALC_FOUND_ROWS */ * FROM t LIMIT 1
session silent{needs the session's last insert} | SELECT /*!50000 LAST_INSERT_ID() */
session silent{changes a setting of the session} | /*!40103 SET TIME_ZONE='+00:00' */
session silent{changes a setting of the session} | /*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */
session silent{changes a setting of the session} | /*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
session silent{changes a setting of the session} | /*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0 */
write | /*!40000 INSERT INTO u VALUES (703) */
write silent{not executed by this server, perhaps by another} | SELECT 1 /*!99999 INTO OUTFILE 'x' */
session silent{not executed by this server, perhaps by another} | SELECT 1 /*!999999 , @a */
write only-mariadb | SELECT * FROM t /*M! FOR UPDATE */
write only-mysql{a comment here, a lock on MariaDB} silent{locks rows} | SELECT * FROM t /*M! FOR UPDATE */
# --- SQL modes ---------------------------------------------------------------------------------------------------------------
read after{SET sql_mode = 'ANSI_QUOTES'} | SELECT "id" FROM "t"
read after{SET sql_mode = 'ANSI_QUOTES'} | SELECT "id" AS "FOR UPDATE" FROM "t" WHERE "b" = 'x'
write after{SET sql_mode = 'ANSI_QUOTES'} | INSERT INTO "u" VALUES (704)
write after{SET sql_mode = 'ANSI_QUOTES'} | UPDATE "t" SET "a" = 1
write after{SET sql_mode = 'ANSI_QUOTES'} | SELECT "id" FROM "t" FOR UPDATE
session after{SET sql_mode = 'ANSI_QUOTES'} silent{holds a lock} | SELECT "GET_LOCK"('corpus', 0) AS "x"
read after{SET sql_mode = 'NO_BACKSLASH_ESCAPES'} | SELECT 'C:\dir'
read after{SET sql_mode = 'NO_BACKSLASH_ESCAPES'} | SELECT 'a\\'
write after{SET sql_mode = 'NO_BACKSLASH_ESCAPES'} silent{a backslash before a quote is not judged} | SELECT 'C:\dir\'
write after{SET sql_mode = 'NO_BACKSLASH_ESCAPES'} | DELETE FROM t WHERE b = '\'
read after{SET sql_mode = 'PIPES_AS_CONCAT'} | SELECT 'a' || 'b'
read after{SET sql_mode = 'IGNORE_SPACE'} | SELECT COUNT (*), NOW () FROM t
session after{SET sql_mode = 'IGNORE_SPACE'} silent{holds a lock} | SELECT GET_LOCK ('corpus', 0)
read after{SET sql_mode = 'HIGH_NOT_PRECEDENCE'} | SELECT NOT 1 BETWEEN 0 AND 2
read after{SET sql_mode = 'REAL_AS_FLOAT,ONLY_FULL_GROUP_BY'} | SELECT CAST(1 AS DOUBLE)
read after{SET sql_mode = 'ANSI'} | SELECT "a" || 'x' FROM "t" GROUP BY "a"
write after{SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'} | INSERT INTO t (id) VALUES (0)
read only-mariadb after{SET sql_mode = 'ORACLE'} | SELECT 'a' || 'b' FROM DUAL
write only-mariadb after{SET sql_mode = 'ORACLE'} | DELETE FROM t WHERE id = 1
write only-mariadb after{SET sql_mode = 'ORACLE'} silent{a block could do anything} | BEGIN NOT ATOMIC NULL; END
# --- locking reads, in every spelling ----------------------------------------------------------------------------------------
write | SELECT id FROM t FOR␉UPDATE
write | SELECT id FROM t FOR/**/UPDATE
write | SELECT id FROM t FOR-- x⏎UPDATE
write | SELECT id FROM t FOR#x⏎UPDATE
write | SELECT id FROM t FOR UPDATE/* tail */
write | SELECT id FROM t WHERE b = 'FOR' FOR UPDATE
write | SELECT id FROM t WHERE a = 1 ORDER BY id LIMIT 1 FOR UPDATE
write | SELECT id FROM t LIMIT 1 FOR UPDATE SKIP LOCKED
write only-mysql | SELECT * FROM t, u FOR UPDATE OF t FOR SHARE OF u
write only-mysql | SELECT * FROM t AS x FOR UPDATE OF x NOWAIT
write only-mysql{locks rows} silent{locks rows} | SELECT * FROM t FOR SHARE NOWAIT
write only-mysql{locks rows} silent{locks rows} | SELECT * FROM t FOR SHARE SKIP LOCKED
write only-mysql{locks rows} silent{locks rows} | SELECT * FROM t FOR SHARE OF t NOWAIT
write only-mysql{locks rows} silent{locks rows} | SELECT * FROM t for⏎share
write only-mysql{locks rows} silent{locks rows} | TABLE t FOR SHARE
write only-mariadb | SELECT * FROM t FOR UPDATE WAIT 5
write only-mariadb{locks rows} silent{locks rows} | SELECT * FROM t LOCK IN SHARE MODE NOWAIT
write only-mariadb{locks rows} silent{locks rows} | SELECT * FROM t LOCK IN SHARE MODE SKIP LOCKED
write silent{locks rows} | SELECT * FROM t WHERE id = 1 LOCK IN SHARE MODE
write silent{locks rows} | SELECT * FROM t LOCK/**/IN/**/SHARE/**/MODE
write silent{locks rows} | SELECT * FROM t LOCK -- x⏎IN SHARE MODE
write silent{locks rows} | (SELECT * FROM t LOCK IN SHARE MODE)
write silent{locks rows} | SELECT * FROM t WHERE id IN (SELECT id FROM u LOCK IN SHARE MODE)
write silent{locks rows} | SELECT EXISTS (SELECT 1 FROM t WHERE id = 1 LOCK IN SHARE MODE)
write | SELECT * FROM t WHERE id IN (SELECT id FROM u FOR UPDATE)
write | SELECT (SELECT a FROM t LIMIT 1 FOR UPDATE)
write | (SELECT id FROM t FOR UPDATE) UNION (SELECT id FROM u)
write silent{locks rows} | (SELECT id FROM t LOCK IN SHARE MODE) UNION ALL (SELECT id FROM u LOCK IN SHARE MODE)
write | SELECT a, COUNT(*) FROM t GROUP BY a FOR UPDATE
write | SELECT DISTINCT a FROM t FOR UPDATE
write | SELECT * FROM v FOR UPDATE
write silent{there are no rows to lock} | SELECT 1 FOR UPDATE
write silent{there are no rows to lock} | SELECT 1 FROM DUAL LOCK IN SHARE MODE
write silent{there are no rows to lock} | SELECT * FROM (SELECT 1) x FOR UPDATE
write | SELECT * FROM t JOIN u USING (id) FOR UPDATE
write | SELECT * FROM t FOR UPDATE; -- x
# --- more lexical traps ------------------------------------------------------------------------------------------------------
read error{no number here} | SELECT.5
read error{one word, no column} | SELECT 1AS x
read error{a comment between two numbers} | SELECT 5--⏎3
read only-mysql | SELECT GTID_SUBSET('', ''), GTID_SUBTRACT('', ''), STATEMENT_DIGEST('SELECT 1'), STATEMENT_DIGEST_TEXT('SELECT 1'), FORMAT_BYTES(1024), ICU_VERSION(), UUID_TO_BIN(UUID(), 1)
read only-mariadb | SELECT SHA1('a'), SHA2('a', 256), CRC32('a'), TO_BASE64('a'), FROM_BASE64('YQ=='), COMPRESS('a'), UNCOMPRESS(COMPRESS('a')), AES_ENCRYPT('a', 'k')
read only-mariadb | SELECT SLEEP(0), BENCHMARK(10, SHA1('a')), RAND(5), RAND() * 100
# --- INSERT, REPLACE, UPDATE, DELETE, LOAD -----------------------------------------------------------------------------------
write | INSERT INTO t VALUES (DEFAULT, 1, 'a', NULL), (DEFAULT, 2, 'b', '{}')
write | INSERT INTO t (id, a) VALUE (710, 1)
write | INSERT HIGH_PRIORITY IGNORE t (id) VALUES (711)
write | INSERT INTO t SET a = 1, b = DEFAULT
write | INSERT INTO corpus.t (t.id, t.a) VALUES (712, 1)
write | INSERT INTO u (id) SELECT id + 720 FROM t ON DUPLICATE KEY UPDATE id = VALUES(id)
write | INSERT INTO u (SELECT 713)
write | INSERT INTO pt PARTITION (p0) VALUES (2)
write | INSERT INTO t (a) VALUES ((SELECT MAX(id) FROM u))
write | INSERT INTO t (id, a) VALUES (1, 1) ON DUPLICATE KEY UPDATE a = a + 1, b = IF(a > 1, 'x', b), id = LAST_INSERT_ID(id)
write | INSERT INTO v (id, a) VALUES (714, 1)
write only-mysql | INSERT INTO t (id, a) VALUES (1, 2) AS n (i, x) ON DUPLICATE KEY UPDATE a = x
write only-mysql | INSERT INTO u VALUES ROW(715), ROW(716)
write only-mysql | INSERT INTO u TABLE u2 ON DUPLICATE KEY UPDATE u.id = u2.id
write only-mysql | INSERT /*+ SET_VAR(foreign_key_checks = OFF) */ INTO u VALUES (717)
write only-mariadb | INSERT INTO t (a) VALUES (NEXT VALUE FOR s)
write only-mariadb | INSERT INTO u SELECT 718 RETURNING id, id + 1 AS n
write only-mariadb | INSERT INTO vt VALUES (1)
write | REPLACE LOW_PRIORITY INTO u VALUES (1)
write | REPLACE INTO t (id, a) SELECT id, a FROM t AS x
write only-mysql | REPLACE INTO u TABLE u2
write only-mariadb | REPLACE INTO u VALUES (1) RETURNING id
write | UPDATE LOW_PRIORITY IGNORE t SET a = DEFAULT, b = UPPER(b) WHERE id IN (SELECT id FROM u)
write | UPDATE t AS x JOIN u AS y ON x.id = y.id SET x.a = 1, x.b = 'z'
write | UPDATE t LEFT JOIN (SELECT id FROM u) y USING (id) SET a = 2
write | UPDATE t SET a = (SELECT MAX(id) FROM u), j = JSON_SET(j, '$.k', 1)
write | UPDATE v SET a = 9
write | UPDATE pt PARTITION (p1) SET id = 3 WHERE id = 1
write | UPDATE `t` SET `t`.`a` = 'a' IS NULL
write only-mariadb | UPDATE t SET a = NEXTVAL(s) WHERE id = 1
write | DELETE LOW_PRIORITY QUICK IGNORE FROM t WHERE id = 1 ORDER BY id LIMIT 1
write | DELETE x, y FROM t AS x INNER JOIN u AS y ON x.id = y.id
write | DELETE FROM x USING t AS x LEFT JOIN u ON x.id = u.id WHERE u.id IS NULL
write | DELETE t.* FROM t, u WHERE t.id = u.id
write | DELETE FROM pt PARTITION (p0, p1)
write only-mysql | DELETE FROM t AS x WHERE x.id = 1
write only-mysql | DELETE /*+ NO_INDEX(t PRIMARY) */ FROM t
write only-mariadb | DELETE HISTORY FROM vt
write only-mariadb | DELETE HISTORY FROM vt BEFORE SYSTEM_TIME '2020-01-01'
write only-mariadb | DELETE FROM vt RETURNING id
write error{no such file} | LOAD DATA CONCURRENT INFILE '/nothing/there' REPLACE INTO TABLE t FIELDS TERMINATED BY ',' ENCLOSED BY '"' LINES TERMINATED BY '\n' IGNORE 1 LINES (id, a)
session error{no such file} | LOAD DATA INFILE '/nothing/there' INTO TABLE t (@x, a) SET b = UPPER(@x)
write error{no such file} | LOAD XML INFILE '/nothing/there' INTO TABLE t ROWS IDENTIFIED BY '<row>'
write noexec{asks the client for a file} | LOAD DATA LOCAL INFILE 'x.csv' INTO TABLE t CHARACTER SET utf8mb4
write only-mysql noexec{only for primary keys of a cluster} | IMPORT TABLE FROM '/nothing/there.sdi'
write error{the folder does not exist} | SELECT * INTO OUTFILE '/nothing/there' FIELDS TERMINATED BY ',' FROM t
write error{the folder does not exist} | SELECT * FROM t WHERE id = 1 INTO DUMPFILE '/nothing/there'
write error{the folder does not exist} | SELECT 1 INTO OUTFILE '/nothing/there'
write error{the folder does not exist} | (SELECT id FROM t) UNION (SELECT id FROM u) INTO OUTFILE '/nothing/there'
write only-mysql error{the folder does not exist} | TABLE t INTO OUTFILE '/nothing/there'
write | TRUNCATE TABLE u
write | TRUNCATE corpus.u2
# --- functions: the session --------------------------------------------------------------------------------------------------
session silent{holds a lock} | SELECT GET_LOCK('corpus', 0) FROM DUAL
session silent{holds a lock} | SELECT IF(GET_LOCK('corpus', 0), 1, 0)
session silent{holds a lock} | SELECT * FROM t WHERE id = 1 AND GET_LOCK('corpus', 0) = 1
session silent{holds a lock} | SELECT COALESCE(GET_LOCK(CONCAT(DATABASE(), '.flyway'), 0), 0)
session silent{holds a lock} | WITH x AS (SELECT GET_LOCK('corpus', 0) AS l) SELECT l FROM x
session silent{releases a lock} | SELECT RELEASE_LOCK(CONCAT('cor', 'pus')) AS released
session silent{holds a lock} | SELECT GET_LOCK('corpus', 0), RELEASE_LOCK('corpus')
session | INSERT INTO u VALUES (GET_LOCK('corpus', 0) + 730)
write silent{the primary's locks are meant} | SELECT IS_FREE_LOCK('flyway')
write silent{the primary's locks are meant} | SELECT IS_USED_LOCK('a') IS NULL
session silent{needs the session's last insert} | SELECT LAST_INSERT_ID() AS id
session silent{needs the session's last insert} | SELECT LAST_INSERT_ID(), ROW_COUNT()
session silent{needs the session's last insert} | SELECT * FROM t WHERE id BETWEEN LAST_INSERT_ID() AND LAST_INSERT_ID() + 5
session | INSERT INTO t (a, b) VALUES (LAST_INSERT_ID(), 'child')
session | UPDATE t SET a = 1 WHERE id = LAST_INSERT_ID()
session | DELETE FROM t WHERE id = LAST_INSERT_ID()
session silent{keeps a count} | SELECT SQL_CALC_FOUND_ROWS id, a FROM t WHERE a > 0 ORDER BY id LIMIT 5, 5
session silent{keeps a count} | (SELECT SQL_CALC_FOUND_ROWS id FROM t LIMIT 1) UNION (SELECT id FROM u)
session silent{tells of the earlier statement} | SELECT FOUND_ROWS() AS total
session silent{tells of the earlier statement} | SELECT ROW_COUNT() AS affected
session silent{tells of the earlier statement} | SELECT @@error_count
session silent{tells of the session} | SELECT @@insert_id, @@timestamp
session silent{tells of the session} | SELECT @@rand_seed1, @@pseudo_thread_id
session only-mariadb silent{tells of the session} | SELECT @@last_gtid
session only-mariadb silent{tells of the session} | SELECT @@in_transaction
session only-mysql silent{no such variable} | SELECT @@statement_id
session silent{needs the session's last insert} | SELECT @@local.last_insert_id, @@`identity`
session only-mariadb silent{needs the session's last value} | SELECT LASTVAL(corpus.s)
write only-mariadb | SELECT NEXTVAL(corpus.s), NEXTVAL(`s`)
write only-mariadb | SELECT NEXT VALUE FOR corpus.s FROM t
write only-mariadb | SELECT SETVAL(s, 100, TRUE, 0)
write only-mariadb | DO NEXTVAL(s)
read only-mariadb | SELECT * FROM s
read only-mariadb | SELECT next_not_cached_value, cycle_count FROM corpus.s
read only-mariadb | SHOW CREATE SEQUENCE s
# --- variables ---------------------------------------------------------------------------------------------------------------
session silent{reads a user variable} | SELECT @a, @b.c, @`d e`, @"f"
session silent{reads a user variable} | SELECT * FROM t WHERE id = @id LIMIT 1
session silent{reads a user variable} | SELECT CONCAT('x', @a)
session silent{reads a user variable} | SELECT id FROM t WHERE @a IS NULL OR a = @a
session silent{assigns a user variable} | SELECT @rank := @rank + 1 AS rank_, a FROM t CROSS JOIN (SELECT @rank := 0) r ORDER BY a
session silent{assigns a user variable} | SELECT @x:=5, (@y:=@x+1)
session silent{assigns a user variable} | SELECT IF(@p = a, @n := @n + 1, @n := 1), @p := a FROM t
session silent{assigns a user variable} | SELECT MAX(id), COUNT(*) INTO @a, @b FROM t
session silent{assigns a user variable} | SELECT a FROM t WHERE id = 1 INTO @v
session only-mysql silent{assigns a user variable} | TABLE u LIMIT 1 INTO @v
session | UPDATE t SET a = (@a := a + 1)
session | UPDATE t SET a = @a := a
session | DELETE FROM t WHERE id = @a
session | INSERT INTO u VALUES (COALESCE(@zz, 731))
session | REPLACE INTO u SELECT COALESCE(@zz, 732)
read | SELECT @@max_allowed_packet, @@session.wait_timeout, @@GLOBAL.max_connections
read | SELECT @@hostname, @@port, @@datadir IS NULL, @@version_compile_os
read only-mysql | SELECT @@transaction_isolation
read only-mariadb | SELECT @@tx_isolation, @@gtid_current_pos, @@gtid_slave_pos
read only-mysql | SELECT @@gtid_executed, @@global.gtid_purged, @@server_uuid, @@super_read_only
read | SELECT @@global.read_only AS ro, @@innodb_buffer_pool_size
read | SELECT @@autocommit, @@character_set_database, @@collation_connection
# --- schema: tables ----------------------------------------------------------------------------------------------------------
write | CREATE TABLE nt (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, a INT DEFAULT 1 COMMENT 'x; DROP TABLE t', b VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, c INT GENERATED ALWAYS AS (a * 2) STORED, PRIMARY KEY (id), KEY k (a), UNIQUE KEY uk (b)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
write | CREATE TABLE nt (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES t (id) ON DELETE CASCADE ON UPDATE SET NULL)
write | CREATE TABLE nt (e ENUM('a', 'b'), s SET('x', 'y'), d DECIMAL(10, 2), ts TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, CHECK (d > 0))
write | CREATE TABLE nt (id INT, d DATE) PARTITION BY RANGE (YEAR(d)) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE)
write | CREATE TABLE nt (g POINT NOT NULL, SPATIAL INDEX (g), f TEXT, FULLTEXT KEY (f))
write | CREATE TABLE nt SELECT * FROM t WHERE 1 = 0
write | CREATE TABLE nt (x INT) AS SELECT id AS x FROM t
write | CREATE TABLE nt IGNORE SELECT id FROM t
write | CREATE TABLE nt (LIKE t)
write | CREATE TABLE nt AS (SELECT 1 AS a) UNION (SELECT 2)
write | CREATE TABLE nt AS WITH x AS (SELECT 1 AS n) SELECT * FROM x
session | CREATE TABLE nt AS SELECT @a AS a
write only-mysql | CREATE TABLE nt (a INT INVISIBLE DEFAULT 1, b INT, INDEX ((a + b)), j JSON, INDEX ((CAST(j->'$[*]' AS UNSIGNED ARRAY))))
write only-mysql | CREATE TABLE nt TABLE t
write only-mysql | CREATE TABLE nt (a VECTOR(3))
write only-mariadb | CREATE TABLE nt (id INT, s_ TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e_ TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s_, e_)) WITH SYSTEM VERSIONING
write only-mariadb | CREATE OR REPLACE TABLE nt AS SELECT 1 AS a
write only-mariadb | CREATE TABLE nt (a INT, b UUID, c INET6) ENGINE = Aria
session | CREATE TEMPORARY TABLE nt (INDEX (id)) SELECT id FROM t
session | CREATE TEMPORARY TABLE `select` (id INT) ENGINE=MEMORY
session only-mariadb | CREATE TEMPORARY SEQUENCE ns
write | ALTER TABLE t ADD INDEX nk (a, b(10)), ALGORITHM=INPLACE, LOCK=NONE
write | ALTER TABLE t MODIFY COLUMN a BIGINT NOT NULL DEFAULT 0 FIRST
write | ALTER TABLE t CHANGE a aa INT AFTER b
write | ALTER TABLE t DROP COLUMN a
write | ALTER TABLE t RENAME COLUMN a TO aa
write | ALTER TABLE u RENAME TO u9
write | ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4
write | ALTER TABLE t ADD CONSTRAINT tc CHECK (a > -100)
write | ALTER TABLE t AUTO_INCREMENT = 1000
write | ALTER TABLE t ORDER BY id
write | ALTER TABLE t ALTER COLUMN a SET DEFAULT 5
write | ALTER TABLE pt ADD PARTITION PARTITIONS 2
write | ALTER TABLE pt COALESCE PARTITION 1
write | ALTER TABLE pt REMOVE PARTITIONING
write | ALTER TABLE t FORCE
write only-mysql | ALTER TABLE t ALTER INDEX b INVISIBLE
write only-mariadb | ALTER TABLE IF EXISTS nothing WAIT 1 ADD COLUMN c INT
write only-mariadb | ALTER TABLE vt DROP SYSTEM VERSIONING
write | DROP TABLE IF EXISTS nothing, nothing2 CASCADE
write | DROP TABLES IF EXISTS nothing
session | DROP TEMPORARY TABLE IF EXISTS nothing, nothing2
write | RENAME TABLE u TO u8, u2 TO u
write | RENAME TABLES u TO corpus.u7
# --- schema: indexes, views, routines, events, accounts ----------------------------------------------------------------------
write | CREATE UNIQUE INDEX ui USING BTREE ON u2 (id) COMMENT 'x'
write | CREATE INDEX xi ON t (b(5) DESC) ALGORITHM = DEFAULT LOCK = DEFAULT
write | DROP INDEX b ON t
write | CREATE ALGORITHM = MERGE DEFINER = CURRENT_USER SQL SECURITY DEFINER VIEW nv (x) AS SELECT a FROM t WITH CASCADED CHECK OPTION
write | CREATE OR REPLACE ALGORITHM=TEMPTABLE VIEW nv AS SELECT COUNT(*) AS n FROM t
write | CREATE VIEW nv AS WITH x AS (SELECT 1 AS n) SELECT n FROM x UNION SELECT 2
write | ALTER ALGORITHM = UNDEFINED VIEW v AS SELECT * FROM t WHERE a > 1
write | DROP VIEW IF EXISTS nothing, nothing2
write | CREATE FUNCTION nf(x INT, y VARCHAR(10)) RETURNS INT DETERMINISTIC READS SQL DATA COMMENT 'x' RETURN x + (SELECT COUNT(*) FROM t)
write | CREATE PROCEDURE np(IN x INT, OUT y INT, INOUT z INT) BEGIN DECLARE done INT DEFAULT FALSE; DECLARE c CURSOR FOR SELECT id FROM t; DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = TRUE; OPEN c; FETCH c INTO y; CLOSE c; IF x > 1 THEN SET z = 1; ELSE SET z = 2; END IF; END
write | CREATE PROCEDURE np() BEGIN START TRANSACTION; DELETE FROM t; ROLLBACK; END
write | CREATE PROCEDURE np() lbl: LOOP LEAVE lbl; END LOOP lbl
write | CREATE PROCEDURE np() BEGIN CREATE TEMPORARY TABLE x (id INT); DROP TEMPORARY TABLE x; END
write only-mariadb | CREATE OR REPLACE PROCEDURE np() SELECT 1
write only-mysql | CREATE PROCEDURE IF NOT EXISTS np() SELECT 1
write | ALTER PROCEDURE p_read COMMENT 'x'
write | ALTER FUNCTION f_read SQL SECURITY INVOKER
write | DROP PROCEDURE IF EXISTS nothing
write | DROP FUNCTION IF EXISTS corpus.nothing
write | CREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW INSERT INTO u VALUES (NEW.id + 5000)
write | CREATE DEFINER = CURRENT_USER TRIGGER tr BEFORE DELETE ON t FOR EACH ROW BEGIN IF OLD.a > 1 THEN DELETE FROM u WHERE id = OLD.id; END IF; END
write | DROP TRIGGER IF EXISTS nothing
write | CREATE EVENT IF NOT EXISTS ev ON SCHEDULE AT CURRENT_TIMESTAMP + INTERVAL 1 YEAR ON COMPLETION PRESERVE DISABLE COMMENT 'x' DO BEGIN DELETE FROM t; SET @x = 1; END
write | DROP EVENT IF EXISTS nothing
write | CREATE DATABASE IF NOT EXISTS corpus2 CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
write | ALTER SCHEMA corpus COLLATE utf8mb4_bin
write | DROP SCHEMA IF EXISTS nothing
write | CREATE USER IF NOT EXISTS corpus_user@localhost IDENTIFIED BY 'Corpus-1-secret' WITH MAX_QUERIES_PER_HOUR 10 ACCOUNT LOCK
write | ALTER USER IF EXISTS nobody@localhost ACCOUNT UNLOCK
write noexec{renames what others use} | RENAME USER app TO app2
write | DROP USER IF EXISTS nobody@localhost, nobody2@'%'
write | CREATE ROLE IF NOT EXISTS corpus_role
write | DROP ROLE IF EXISTS nothing
write | GRANT SELECT (id, a), UPDATE ON corpus.t TO 'app'@'%' WITH GRANT OPTION
write | GRANT EXECUTE ON PROCEDURE corpus.p_read TO app@'%'
write | GRANT PROCESS, REPLICATION CLIENT ON *.* TO `app`@`%`
write error{no such role} | GRANT 'nothing_role' TO app@'%'
write noexec{takes from others what they use} | REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'app'@'%'
write noexec{changes an account} | SET DEFAULT ROLE NONE TO app@'%'
write only-mysql noexec{changes an account} | ALTER USER USER() IDENTIFIED BY 'x'
write only-mysql noexec{makes a file} | CREATE TABLESPACE ts ADD DATAFILE 'ts.ibd' ENGINE = InnoDB
write only-mysql noexec{makes a file} | CREATE UNDO TABLESPACE ut ADD DATAFILE 'ut.ibu'
write only-mysql error{no such tablespace} | DROP TABLESPACE nothing
write only-mysql | CREATE SPATIAL REFERENCE SYSTEM IF NOT EXISTS 4326 NAME 'x' DEFINITION 'x'
write only-mysql error{no such server} | DROP SERVER nothing
write | DROP SERVER IF EXISTS nothing
write | CREATE SERVER nsv FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1', DATABASE 'x', USER 'y')
write error{no such library} | CREATE FUNCTION nudf RETURNS STRING SONAME 'nothing.so'
write only-mysql error{no such component} | INSTALL COMPONENT 'file://nothing'
write only-mysql error{no such component} | UNINSTALL COMPONENT 'file://nothing'
write only-mariadb error{no such library} | INSTALL SONAME 'nothing'
write only-mariadb | CREATE SEQUENCE IF NOT EXISTS ns START WITH 10 INCREMENT BY 2 CACHE 5 CYCLE
write only-mariadb | ALTER SEQUENCE s RESTART 100
write only-mariadb | DROP SEQUENCE IF EXISTS nothing
write only-mysql noexec{manages threads} | CREATE RESOURCE GROUP rg TYPE = USER
# --- running code ------------------------------------------------------------------------------------------------------------
write silent{what a procedure does is not seen} | CALL corpus.p_read()
write silent{what a procedure does is not seen} | CALL `p_read`
write | CALL /* x */ p_write ()
session silent{what a procedure does is not seen, and @v is the session's} | CALL corpus.p_out(@v)
write error{no such procedure} | CALL nothing(1, 'a', NULL)
write silent{runs what it is given} | DO SLEEP(0), 1 + 1
write | DO f_write()
session silent{assigns a user variable} | DO @a := 1
session silent{releases locks} | DO RELEASE_ALL_LOCKS()
write only-mariadb silent{what a block does is not seen} | BEGIN NOT ATOMIC DECLARE x INT; SET x = 1; END
write only-mariadb | BEGIN NOT ATOMIC START TRANSACTION; UPDATE t SET a = 1; ROLLBACK; END
write only-mariadb silent{settings for the statement behind it} | SET STATEMENT max_statement_time = 1, sort_buffer_size = 100000 FOR SELECT * FROM t
write only-mariadb silent{settings for the statement behind it} | SET STATEMENT max_statement_time = 1 FOR SHOW TABLES
session only-mariadb silent{runs text} | EXECUTE IMMEDIATE CONCAT('SELECT ', 1)
session only-mariadb | EXECUTE IMMEDIATE 'DELETE FROM t'
read unknown{writes} | SELECT `corpus`.`f_write`()
read unknown{writes} | SELECT corpus . f_write ()
read | SELECT f_read() + corpus.f_read(), (SELECT f_read())
read | SELECT * FROM t WHERE id <= f_read()
# --- SHOW, in every spelling -------------------------------------------------------------------------------------------------
read | SHOW SCHEMAS LIKE 'corp%'
read | SHOW TABLES FROM corpus
read | SHOW FULL TABLES IN corpus WHERE Table_type = 'VIEW'
read | SHOW TABLE STATUS FROM corpus LIKE 't'
read | SHOW OPEN TABLES FROM corpus
read | SHOW FULL COLUMNS FROM t FROM corpus
read | SHOW FIELDS FROM corpus.t LIKE 'a'
read | SHOW KEYS FROM t
read | SHOW INDEXES IN t WHERE Key_name = 'PRIMARY'
read | SHOW CREATE DATABASE corpus
read | SHOW CREATE SCHEMA IF NOT EXISTS corpus
read | SHOW CREATE VIEW v
read | SHOW CREATE FUNCTION f_read
read | SHOW CREATE TABLE corpus.`insert`
read | SHOW PROCEDURE STATUS WHERE Db = 'corpus'
read | SHOW FUNCTION STATUS LIKE 'f_%'
read | SHOW TRIGGERS FROM corpus LIKE 't'
read | SHOW EVENTS FROM corpus
read | SHOW CHARACTER SET LIKE 'utf8%'
read | SHOW CHARSET
read | SHOW COLLATION WHERE Charset = 'utf8mb4'
read | SHOW STORAGE ENGINES
read | SHOW ENGINE INNODB STATUS
read | SHOW ENGINE INNODB MUTEX
read | SHOW PLUGINS
read | SHOW PRIVILEGES
read | SHOW LOCAL VARIABLES WHERE Variable_name IN ('sql_mode', 'autocommit')
read | SHOW GLOBAL STATUS LIKE 'Threads_%'
read | SHOW SESSION VARIABLES LIKE 'tx_isolation'
read | SHOW VARIABLES WHERE Variable_name = 'character_set_client' OR Variable_name = 'max_allowed_packet'
read | SHOW GRANTS FOR CURRENT_USER()
read | SHOW GRANTS FOR `app`@`%`
read | SHOW BINLOG EVENTS LIMIT 1
read only-mariadb | SHOW MASTER STATUS
read only-mariadb | SHOW MASTER LOGS
read only-mariadb | SHOW SLAVE HOSTS
read only-mariadb | SHOW REPLICA STATUS
read only-mariadb | SHOW AUTHORS
read only-mariadb | SHOW CONTRIBUTORS
read only-mariadb | SHOW INDEX_STATISTICS
read only-mariadb | SHOW USER_STATISTICS
read only-mariadb | SHOW PACKAGE STATUS
read only-mariadb | SHOW PLUGINS SONAME 'ha_example.so'
read only-mysql | SHOW BINARY LOG STATUS
read only-mysql | SHOW REPLICAS
read only-mysql | SHOW EXTENDED COLUMNS FROM t
read only-mysql | SHOW EXTENDED FULL COLUMNS FROM t
read only-mysql | SHOW EXTENDED INDEX FROM t
session silent{tells of the earlier statement} | SHOW WARNINGS LIMIT 1, 5
session silent{tells of the earlier statement} | SHOW /* x */ WARNINGS
session silent{tells of the earlier statement} | SHOW ERRORS
session silent{tells of earlier statements} | SHOW PROFILE
session silent{tells of earlier statements} | SHOW PROFILE ALL FOR QUERY 1
session silent{tells of the earlier statement} | show count( * ) warnings
# --- EXPLAIN and DESCRIBE, in every spelling ---------------------------------------------------------------------------------
read | DESCRIBE t 'a%'
read | DESCRIBE corpus.t b
read | EXPLAIN corpus.t
read | EXPLAIN `t` `a`
read | desc t id
read | EXPLAIN FORMAT=TRADITIONAL SELECT * FROM t
read | EXPLAIN FORMAT = "JSON" SELECT 1
read | EXPLAIN (SELECT * FROM t)
read | EXPLAIN SELECT * FROM t UNION SELECT * FROM t
read | EXPLAIN SELECT f_read()
read only-mysql | EXPLAIN FORMAT=TREE SELECT * FROM t JOIN u USING (id)
read only-mysql | EXPLAIN ANALYZE SELECT * FROM t WHERE a = 1
read only-mysql | DESC ANALYZE SELECT 1
read only-mysql | EXPLAIN ANALYZE WITH x AS (SELECT 1) SELECT * FROM x
read only-mysql | EXPLAIN TABLE t
read only-mysql | EXPLAIN FOR DATABASE corpus SELECT 1
read only-mariadb | ANALYZE FORMAT=JSON SELECT * FROM t WHERE a = 1
read only-mariadb | ANALYZE WITH x AS (SELECT 1) SELECT * FROM x
read only-mariadb | EXPLAIN FORMAT=JSON SELECT * FROM t
write | EXPLAIN UPDATE t JOIN u USING (id) SET t.a = 1
write | EXPLAIN INSERT INTO u SELECT 1
write | DESC REPLACE INTO u VALUES (1)
write | EXPLAIN FORMAT=JSON UPDATE t SET a = 1 WHERE id = 1
write silent{plans locks and takes none} | EXPLAIN SELECT * FROM t LOCK IN SHARE MODE
write only-mysql silent{runs it, and locks rows} | EXPLAIN ANALYZE SELECT * FROM t LOCK IN SHARE MODE
write only-mysql | EXPLAIN WITH x AS (SELECT 1 AS i) DELETE FROM t WHERE id IN (SELECT i FROM x)
write only-mysql | EXPLAIN ANALYZE UPDATE t SET a = 1
write only-mariadb | ANALYZE DELETE FROM t
write only-mariadb | ANALYZE INSERT INTO u VALUES (741)
write only-mariadb | ANALYZE REPLACE INTO u VALUES (742)
write only-mariadb | ANALYZE SELECT * FROM t FOR UPDATE
write only-mariadb | ANALYZE FORMAT=JSON UPDATE t SET a = 1 WHERE id = 1
session silent{reads a user variable} | EXPLAIN SELECT * FROM t WHERE id = @a
session only-mysql | EXPLAIN FORMAT=JSON INTO @v UPDATE t SET a = 1
read | HELP 'contents'
# --- maintenance and administration ------------------------------------------------------------------------------------------
write | ANALYZE NO_WRITE_TO_BINLOG TABLE t, u
write | OPTIMIZE LOCAL TABLE t, u
write | REPAIR TABLE t QUICK
write silent{works on its server} | CHECK TABLE t, u EXTENDED
write silent{works on its server} | CHECK TABLE v
write silent{works on its server} | CHECKSUM TABLE t, u EXTENDED
write silent{works on its server} | CHECKSUM TABLES t
write silent{works on its server} | FLUSH PRIVILEGES
write silent{works on its server} | FLUSH TABLE t
write silent{works on its server} | FLUSH LOCAL TABLES
write silent{works on its server} | FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS
write silent{works on its server} | FLUSH BINARY LOGS
write silent{works on its server} | FLUSH USER_RESOURCES
write silent{works on its server} | FLUSH SLOW LOGS, ERROR LOGS
write only-mariadb silent{works on its server} | FLUSH QUERY CACHE
write only-mysql silent{works on its server} | FLUSH OPTIMIZER_COSTS
session | FLUSH TABLES t, u WITH READ LOCK
session | LOCK TABLES t AS x WRITE
session only-mariadb | LOCK TABLES t LOW_PRIORITY WRITE, u READ LOCAL
session silent{holds locks in the session} | LOCK TABLES t READ LOCAL
session silent{holds locks in the session} | lock table u read
session silent{releases locks} | UNLOCK TABLE
write error{no such thread} | KILL CONNECTION 4000000000
write only-mariadb error{no such thread} | KILL SOFT QUERY 4000000000
write only-mariadb error{no such query} | KILL QUERY ID 4000000000
write noexec{stops replication} | STOP REPLICA SQL_THREAD
write only-mysql noexec{stops replication} | STOP GROUP_REPLICATION
write only-mysql noexec{starts replication} | START GROUP_REPLICATION
write noexec{starts replication} | START SLAVE UNTIL MASTER_LOG_FILE = 'x', MASTER_LOG_POS = 4
write only-mysql noexec{changes replication} | CHANGE REPLICATION FILTER REPLICATE_DO_DB = (x)
write only-mysql noexec{takes the server's log away} | RESET BINARY LOGS AND GTIDS
write noexec{takes replication away} | RESET REPLICA ALL
write noexec{takes the server's log away} | PURGE MASTER LOGS TO 'x'
write only-mariadb silent{works on its server} | RESET QUERY CACHE
write only-mysql silent{works on its server} | RESET PERSIST IF EXISTS nothing
write only-mysql noexec{locks the server's files} | CLONE LOCAL DATA DIRECTORY = '/nothing/there'
write only-mysql noexec{changes the server} | ALTER INSTANCE ROTATE INNODB MASTER KEY
write only-mysql | ALTER INSTANCE RELOAD TLS
write silent{works on its server} | SET GLOBAL slow_launch_time = DEFAULT
write silent{works on its server} | SET @@global.slow_launch_time = 2, GLOBAL slow_launch_time = 2
write silent{works on its server} | SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ
write only-mysql noexec{changes the server's configuration} | SET PERSIST_ONLY slow_launch_time = 2
write only-mysql noexec{changes the server's configuration} | SET @@persist.slow_launch_time = 2
# --- session commands, in every spelling -------------------------------------------------------------------------------------
session silent{sets a user variable} | SET @a = (SELECT MAX(id) FROM t), @b := @a
session silent{sets a user variable} | SET @`x y` = 1
session silent{sets a user variable} | SET @sql = CONCAT('SELECT ', 1)
session silent{changes a setting of the session} | SET NAMES 'utf8mb4' COLLATE 'utf8mb4_bin'
session silent{changes a setting of the session} | SET NAMES DEFAULT
session silent{changes a setting of the session} | SET CHARSET utf8mb4
session silent{changes a setting of the session} | SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')
session silent{changes a setting of the session} | SET sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES'
session silent{changes a setting of the session} | SET LOCAL wait_timeout = 100
session silent{changes a setting of the session} | SET @@local.wait_timeout = 100
session silent{changes a setting of the session} | SET wait_timeout = 100, @@session.net_read_timeout = 100
session silent{changes a setting of the session} | SET foreign_key_checks = 0
session silent{changes a setting of the session} | SET unique_checks=0, foreign_key_checks=0
session silent{changes a setting of the session} | SET insert_id = 5
session silent{changes a setting of the session} | SET last_insert_id = 5
session silent{changes a setting of the session} | SET timestamp = 1
session silent{changes a setting of the session} | SET SQL_SAFE_UPDATES=1, SQL_SELECT_LIMIT=DEFAULT
session silent{changes a setting of the session} | SET collation_connection = utf8mb4_bin
session silent{changes a setting of the session} | SET SESSION group_concat_max_len = @@global.group_concat_max_len
session only-mariadb silent{changes a setting of the session} | SET max_statement_time = 5
session only-mysql silent{changes a setting of the session} | SET max_execution_time = 5000
session only-mysql silent{changes a setting of the session} | SET SESSION transaction_isolation = 'READ-COMMITTED'
session only-mariadb silent{changes a setting of the session} | SET tx_isolation = 'READ-COMMITTED'
session only-mysql silent{changes the session's roles} | SET ROLE DEFAULT
session only-mysql silent{changes the session's roles} | SET ROLE ALL
session silent{changes the access mode} | SET SESSION TRANSACTION READ ONLY
session silent{changes the access mode} | SET LOCAL TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE
session autocommit silent{changes the next transaction} | SET TRANSACTION READ ONLY
session only-mysql silent{changes a setting of the session} | SET transaction_read_only = 0
session only-mariadb silent{changes a setting of the session} | SET tx_read_only = 0
session silent{changes the session's database} | USE `corpus`;
session silent{changes the session's database} | /* x */ USE corpus -- y
session silent{keeps a table open} | HANDLER corpus.t OPEN AS h
session after{HANDLER t OPEN} silent{needs an open table} | HANDLER t READ `PRIMARY` = (1)
session after{HANDLER t OPEN} silent{needs an open table} | HANDLER t READ NEXT WHERE a > 0 LIMIT 5
session silent{keeps a statement} | PREPARE p FROM 'SELECT ? + ?'
session silent{keeps a statement} | PREPARE `select` FROM "SELECT 1"
session after{PREPARE p FROM 'SELECT 1'} silent{needs a statement} | execute p
session silent{tells of the earlier statement} | GET CURRENT DIAGNOSTICS @a = ROW_COUNT
session only-mysql error{no handler is at work} | GET STACKED DIAGNOSTICS @a = NUMBER
write error{raises what it is told} | SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'x', MYSQL_ERRNO = 1001
write error{not in a handler} | RESIGNAL
# --- transactions, in every spelling -----------------------------------------------------------------------------------------
control silent{opens a transaction} | START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY
control | START TRANSACTION READ WRITE, WITH CONSISTENT SNAPSHOT
control silent{ends a transaction} | COMMIT WORK AND NO CHAIN NO RELEASE
control silent{ends a transaction} | COMMIT RELEASE
control silent{ends a transaction} | ROLLBACK AND CHAIN
control silent{ends a transaction} | ROLLBACK RELEASE
control after{BEGIN; SAVEPOINT `a b`} silent{keeps a savepoint} | ROLLBACK WORK TO `a b`
control after{BEGIN; SAVEPOINT a} silent{keeps a savepoint} | RELEASE SAVEPOINT `a`
control silent{opens a transaction} | BEGIN;
control silent{ends a transaction} | commit -- x
control silent{opens a transaction} | XA BEGIN 'corpus', 'b', 1
control after{XA START 'corpus2'} silent{ends its work} | XA END 'corpus2'
control error{no such transaction} | XA PREPARE 'nothing'
control only-mysql silent{tells of prepared transactions} | XA RECOVER CONVERT XID
# --- several statements: the protocol flag is off, so the server refuses the text --------------------------------------------
read error{several statements} | SELECT 1; SHOW TABLES; SELECT 2
write error{several statements} | SELECT ';'; DROP TABLE u
write error{several statements} | SELECT `;` FROM (SELECT 1 AS `;`) x; DROP TABLE u
write error{several statements} | SELECT 1 /* ; */; DROP TABLE u
write error{several statements} | SELECT 1 -- ;⏎; DROP TABLE u
write error{several statements} | SHOW TABLES; TRUNCATE t
session error{several statements} | SELECT 1; CREATE TEMPORARY TABLE nt (a INT)
session error{several statements} | SELECT 1; SELECT GET_LOCK('corpus', 0)
session error{several statements} | USE corpus; SELECT 1
control error{several statements} | START TRANSACTION; DELETE FROM t; COMMIT
session error{several statements} | SELECT 1; LOCK TABLES t READ
write error{several statements} | EXPLAIN SELECT 1; DELETE FROM t
# --- as drivers, frameworks and tools write them -----------------------------------------------------------------------------
read | SELECT 1 AS one FROM `t` WHERE `t`.`id` = 1 LIMIT 1
read | SELECT `t`.* FROM `t` WHERE `t`.`a` IN (1, 2) AND `t`.`b` IS NOT NULL ORDER BY `t`.`id` ASC LIMIT 11 /*application:Shop,controller:orders*/
read | SELECT COUNT(*) AS count_all, `t`.`a` AS t_a FROM `t` GROUP BY `t`.`a`
write | SELECT `t`.* FROM `t` WHERE `t`.`id` = 1 LIMIT 1 FOR UPDATE
write | INSERT INTO `t` (`a`, `b`) VALUES (1, 'x')
write | UPDATE `t` SET `t`.`a` = COALESCE(`t`.`a`, 0) + 1 WHERE `t`.`id` = 1
session silent{changes a setting of the session} | SET  @@SESSION.sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'),  @@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483
session silent{changes a setting of the session} | SET NAMES utf8mb4,  @@SESSION.sql_mode = CONCAT(CONCAT(@@SESSION.sql_mode, ',STRICT_ALL_TABLES'), ',NO_AUTO_VALUE_ON_ZERO'), @@SESSION.wait_timeout = 100
session silent{changes a setting of the session} | SET SQL_AUTO_IS_NULL = 0
session silent{changes a setting of the session} | SET autocommit=1, session_track_schema=1
session silent{changes a setting of the session} | SET character_set_results = NULL
session silent{changes a setting of the session} | SET sql_mode='STRICT_TRANS_TABLES'
session silent{changes a setting of the session} | SET SQL_QUOTE_SHOW_CREATE=1
read | SELECT table_name, engine, table_rows, data_length + index_length AS bytes FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY bytes DESC
read | SELECT column_name, data_type, is_nullable, column_key FROM information_schema.columns WHERE table_schema = SCHEMA() AND table_name = 't' ORDER BY ordinal_position
read | SELECT fk.referenced_table_name AS 'to_table', fk.constraint_name AS 'name', rc.update_rule AS 'on_update', rc.delete_rule AS 'on_delete' FROM information_schema.referential_constraints rc JOIN information_schema.key_column_usage fk USING (constraint_schema, constraint_name) WHERE fk.table_schema = database() LIMIT 5
read | SELECT TABLE_SCHEMA AS TABLE_CAT, NULL AS TABLE_SCHEM, TABLE_NAME, CASE WHEN TABLE_TYPE = 'BASE TABLE' THEN 'TABLE' ELSE TABLE_TYPE END AS TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'corpus' AND TABLE_NAME LIKE 't'
read | /* mysql-connector-java-8.0.33 (Revision: 7d6b0800528b6b25c68b52dc10d6c1c8429c100c) */SELECT  @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@init_connect AS init_connect, @@lower_case_table_names AS lower_case_table_names, @@max_allowed_packet AS max_allowed_packet, @@sql_mode AS sql_mode, @@system_time_zone AS system_time_zone, @@time_zone AS time_zone
read only-mysql | SELECT @@session.transaction_read_only
read only-mariadb | SELECT @@session.tx_read_only
read | SELECT VERSION(), @@version_comment, @@lower_case_table_names
read | select @@version_comment limit 1
read | SELECT DATABASE() AS `database()`, USER() AS `user()`
session silent{needs the session's last insert} | select @@identity as id
session silent{needs the session's last insert} | select last_insert_id() as hibernate_id
read | select t1_0.id,t1_0.a,t1_0.b from t t1_0 where t1_0.id=1
write | select t1_0.id,t1_0.a from t t1_0 where t1_0.id=1 for update
write only-mysql | select t1_0.id from t t1_0 where t1_0.a=1 limit 1 for update of t1_0 skip locked
write only-mysql silent{locks rows} | select t1_0.id from t t1_0 where t1_0.a=1 for share of t1_0
write only-mariadb | select next value for s
write only-mariadb | select nextval(s)
session silent{holds a lock} | SELECT GET_LOCK('Flyway-123456', 10)
session silent{releases a lock} | SELECT RELEASE_LOCK('Flyway-123456')
read | SELECT COUNT(1) FROM information_schema.schemata WHERE schema_name='corpus' LIMIT 1
read | SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema='corpus' AND table_name='flyway_schema_history')
read | select `id`, `a` from `t` where `a` = 1 and exists (select * from `u` where `t`.`id` = `u`.`id`) order by `id` desc limit 15 offset 0
read | select count(*) as aggregate from `t`
write | insert ignore into `u` (`id`) values (750), (751)
write | update `t` set `a` = 1, `b` = 'x' where `id` = 1
read | SELECT `t`.`id`, `u`.`id` AS `u.id` FROM `t` AS `t` LEFT OUTER JOIN `u` AS `u` ON `t`.`id` = `u`.`id` WHERE (`t`.`a` > 0 AND `t`.`b` LIKE '%x%')
read | SELECT DISTINCT `t0`.`id` FROM (SELECT `corpus`.`t`.`id` FROM `corpus`.`t` WHERE 1=1) AS `t0` LIMIT 1 OFFSET 0
read | SELECT * FROM (SELECT t.*, ROW_NUMBER() OVER (PARTITION BY a ORDER BY id DESC) AS rn FROM t) x WHERE rn <= 3
read | SELECT t.id FROM t WHERE (a, id) > (1, 0) ORDER BY a, id LIMIT 50
read | SELECT * FROM information_schema.processlist WHERE command <> 'Sleep' AND id <> CONNECTION_ID()
read | SELECT trx_id, trx_state, trx_started FROM information_schema.innodb_trx
read only-mysql | SELECT name, count FROM information_schema.innodb_metrics WHERE status = 'enabled' LIMIT 3
read | SELECT user, host FROM mysql.user
read only-mysql | SELECT * FROM performance_schema.replication_connection_status
read only-mysql | SELECT digest_text, count_star FROM performance_schema.events_statements_summary_by_digest LIMIT 1
read only-mysql | SELECT * FROM sys.version
read only-mariadb | SELECT * FROM information_schema.innodb_lock_waits
write silent{works on its server} | SET GLOBAL general_log = 'OFF'
write | DELETE FROM t WHERE a < 0 ORDER BY id LIMIT 1000
write | INSERT INTO t (id, a) VALUES (1, 1) ON DUPLICATE KEY UPDATE a = a + 1
write | UPDATE t SET b = 'locked' WHERE a = 0 ORDER BY id LIMIT 1
# --- more of the odd ---------------------------------------------------------------------------------------------------------
write only-mariadb error{no way to name a sequence here} | SELECT s.nextval
session only-mariadb error{no way to name a sequence here} | SELECT s.currval
read error{no such variable} | SELECT @@no_such_variable
read error{no blanks there} | SELECT @@ session . sql_mode
session error{no full-text index on a temporary table} | CREATE TEMPORARY TABLE nt LIKE t
session | CREATE TEMPORARY TABLE nt LIKE u
write only-mariadb | ALTER TABLE u ADD COLUMN IF NOT EXISTS c INT
write | CREATE FULLTEXT INDEX fi ON t (b)
write only-mysql | DROP INDEX b ON t ALGORITHM=INPLACE LOCK=NONE
write | CREATE FUNCTION nf() RETURNS INT DETERMINISTIC BEGIN DECLARE n INT DEFAULT 0; SELECT GET_LOCK('x', 0) INTO n; RETURN n; END
write error{nothing was granted} | REVOKE ALL PRIVILEGES ON corpus.* FROM app@'%'
write only-mariadb autocommit | SET STATEMENT sort_buffer_size = 100000 FOR INSERT INTO u2 VALUES (740)
read unknown{writes} | SELECT f_write() FROM u2 LIMIT 1
read unknown{writes} | SELECT f_write() AS x FROM DUAL WHERE 1 = 1
read unknown{writes} | SELECT MAX(f_write()) FROM t WHERE id = 1
read only-mariadb error{no such thread} | SHOW EXPLAIN FOR 4000000000
read only-mysql error{no such thread} | EXPLAIN FOR CONNECTION 4000000000
session error{nothing to prepare} | PREPARE p FROM @sql_text_that_is_null
session only-mysql silent{manages its thread} | SET RESOURCE GROUP USR_default
write only-mysql silent{statistics of this server alone} | ANALYZE TABLE t UPDATE HISTOGRAM ON a WITH 4 BUCKETS
write only-mysql silent{statistics of this server alone} | ANALYZE TABLE t DROP HISTOGRAM ON a
write only-mariadb silent{statistics of this server alone} | ANALYZE TABLE t PERSISTENT FOR COLUMNS (a) INDEXES ()
write only-mariadb silent{ends others of its server} | KILL USER nobody2@localhost
write only-mysql silent{the rows are locked while it runs} | EXPLAIN ANALYZE SELECT * FROM t FOR UPDATE
read | SELECT CASE WHEN @@global.read_only = 1 THEN 'replica' ELSE 'primary' END
read | SELECT JSON_UNQUOTE(JSON_EXTRACT(j, CONCAT('$.', 'a'))) FROM t WHERE JSON_EXTRACT(j, '$.a') > 0
read | SELECT DATE(date_joined), COUNT(*) FROM auth_user GROUP BY DATE(date_joined) WITH ROLLUP
read | SELECT u.username, GROUP_CONCAT(g.name) FROM auth_user u JOIN auth_user_groups ug ON ug.user_id = u.id JOIN auth_group g ON g.id = ug.group_id GROUP BY u.id, u.username
read | SELECT * FROM auth_user WHERE last_login < NOW() - INTERVAL 90 DAY OR last_login IS NULL ORDER BY date_joined DESC LIMIT 20
read | SELECT IF(EXISTS (SELECT 1 FROM auth_user WHERE username = 'update'), 'delete', 'insert') AS action
read | SELECT session_data FROM django_session WHERE session_key = 'for update' AND expire_date > NOW()
write | UPDATE auth_user SET last_login = NOW() WHERE id = 1
write | INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('k', 'x', NOW()) ON DUPLICATE KEY UPDATE session_data = VALUES(session_data)
write | DELETE FROM django_session WHERE expire_date < NOW()
write error{which of the two is meant} | INSERT INTO auth_user_groups (user_id, group_id) SELECT u.id, g.id FROM auth_user u CROSS JOIN auth_group g ON DUPLICATE KEY UPDATE nothing = 1
write | UPDATE auth_user u JOIN (SELECT user_id, COUNT(*) AS n FROM auth_user_groups GROUP BY user_id) c ON c.user_id = u.id SET u.is_staff = c.n > 5
write | DELETE p FROM auth_permission p LEFT JOIN django_content_type c ON c.id = p.content_type_id WHERE c.id IS NULL
write | REPLACE INTO auth_group (id, name) VALUES (1, 'x')
write | SELECT id FROM auth_user WHERE is_active ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
write silent{locks rows} | SELECT id FROM auth_user WHERE username = 'a' LOCK IN SHARE MODE
write | SELECT u.id FROM auth_user u JOIN auth_user_groups g ON g.user_id = u.id WHERE g.group_id = 1 FOR UPDATE
session silent{assigns a user variable} | SELECT @last := MAX(id) FROM auth_user
session silent{assigns a user variable} | SELECT id, username INTO @v, @a FROM auth_user LIMIT 0
session silent{keeps a count} | SELECT SQL_CALC_FOUND_ROWS * FROM auth_user LIMIT 0
session silent{needs the session's last insert} | SELECT * FROM auth_user WHERE id = LAST_INSERT_ID()
session | INSERT INTO auth_user_groups (user_id, group_id) VALUES (LAST_INSERT_ID(), 1)
session only-mariadb silent{holds a lock} | SELECT GET_LOCK(CONCAT('user-', MIN(id)), 0) FROM auth_user
write | CREATE TABLE auth_user_copy LIKE auth_user
write | CREATE TABLE nt AS SELECT id, username FROM auth_user
session | CREATE TEMPORARY TABLE nt AS SELECT id, username FROM auth_user WHERE is_active
write | CREATE VIEW nv AS SELECT id, username FROM auth_user WHERE is_active
write | CREATE INDEX ni ON auth_user (last_login)
write | CREATE TRIGGER tr AFTER INSERT ON auth_user FOR EACH ROW INSERT INTO u2 VALUES (NEW.id)
# --- as mariadb-dump emits them ----------------------------------------------------------------------------------------------
session silent{leaves state in the session} | /*!40100 SET @@SQL_MODE='' */
session silent{leaves state in the session} | /*M!100100 SET @@MAX_STATEMENT_TIME=0.000000 */
session silent{leaves state in the session} | /*M!100100 SET WAIT_TIMEOUT=DEFAULT */
session silent{leaves state in the session} | SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ
session silent{leaves state in the session} | set optimizer_switch='semijoin=off'
read only-mariadb | SELECT LOGFILE_GROUP_NAME, FILE_NAME, TOTAL_EXTENTS, INITIAL_SIZE, ENGINE, EXTRA FROM INFORMATION_SCHEMA.FILES WHERE FILE_TYPE = 'UNDO LOG' AND FILE_NAME IS NOT NULL AND LOGFILE_GROUP_NAME IS NOT NULL AND LOGFILE_GROUP_NAME IN (SELECT DISTINCT LOGFILE_GROUP_NAME FROM INFORMATION_SCHEMA.FILES WHERE FILE_TYPE = 'DATAFILE' AND TABLESPACE_NAME IN (SELECT DISTINCT TABLESPACE_NAME FROM INFORMATION_SCHEMA.PARTITIONS WHERE TABLE_SCHEMA IN ('corpus'))) GROUP BY LOGFILE_GROUP_NAME, FILE_NAME, ENGINE, TOTAL_EXTENTS, INITIAL_SIZE ORDER BY LOGFILE_GROUP_NAME
read | SELECT DISTINCT TABLESPACE_NAME, FILE_NAME, LOGFILE_GROUP_NAME, EXTENT_SIZE, INITIAL_SIZE, ENGINE FROM INFORMATION_SCHEMA.FILES WHERE FILE_TYPE = 'DATAFILE' AND TABLESPACE_NAME IN (SELECT DISTINCT TABLESPACE_NAME FROM INFORMATION_SCHEMA.PARTITIONS WHERE TABLE_SCHEMA IN ('corpus')) ORDER BY TABLESPACE_NAME, LOGFILE_GROUP_NAME
session silent{leaves state in the session} | set optimizer_switch=default
control silent{transaction control} | SAVEPOINT sp
read | SELECT engine, table_type FROM INFORMATION_SCHEMA.TABLES WHERE table_schema = DATABASE() AND table_name = 'insert'
session silent{leaves state in the session} | SET SESSION character_set_results = 'binary'
read | show create table `insert`
read | select column_name, extra, generation_expression, data_type from information_schema.columns where table_schema=database() and table_name='insert' order by ordinal_position
read | SELECT /*!40001 SQL_NO_CACHE */ `delete`, `Update` FROM `insert`
read | select @@collation_database
read | SELECT TRIGGER_NAME FROM INFORMATION_SCHEMA.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = 'insert'
read | show create table `pt`
read | SELECT /*!40001 SQL_NO_CACHE */ `id` FROM `pt`
read | show create table `t`
read | SELECT /*!40001 SQL_NO_CACHE */ `id`, `a`, `b`, `j` FROM `t`
read | show create table `u`
read | SELECT /*!40001 SQL_NO_CACHE */ `id` FROM `u`
read | show create table `u2`
read | SELECT /*!40001 SQL_NO_CACHE */ `id` FROM `u2`
read | show create table `v`
read | SHOW FIELDS FROM `v`
read unknown{writes} | show create table `v_write`
read unknown-mariadb{WHY} | SHOW FIELDS FROM `v_write`
read | show events
read | SHOW FUNCTION STATUS WHERE Db = 'corpus'
read | SHOW CREATE FUNCTION `f_read`
read | SHOW CREATE FUNCTION `f_write`
read | SHOW CREATE PROCEDURE `p_out`
read | SHOW CREATE PROCEDURE `p_read`
read | SHOW CREATE PROCEDURE `p_write`
read | SHOW CREATE TABLE `insert`
read | SHOW CREATE TABLE `pt`
read | SHOW CREATE TABLE `t`
read | SHOW CREATE TABLE `u`
read | SHOW CREATE TABLE `u2`
read | SHOW CREATE TABLE `v`
read | SELECT CHECK_OPTION, DEFINER, SECURITY_TYPE,        CHARACTER_SET_CLIENT, COLLATION_CONNECTION FROM information_schema.views WHERE table_name='v' AND table_schema='corpus'
read unknown{writes} | SHOW CREATE TABLE `v_write`
read only-mariadb | SELECT LOGFILE_GROUP_NAME, FILE_NAME, TOTAL_EXTENTS, INITIAL_SIZE, ENGINE, EXTRA FROM INFORMATION_SCHEMA.FILES WHERE FILE_TYPE = 'UNDO LOG' AND FILE_NAME IS NOT NULL AND LOGFILE_GROUP_NAME IS NOT NULL AND LOGFILE_GROUP_NAME IN (SELECT DISTINCT LOGFILE_GROUP_NAME FROM INFORMATION_SCHEMA.FILES WHERE FILE_TYPE = 'DATAFILE' AND TABLESPACE_NAME IN (SELECT DISTINCT TABLESPACE_NAME FROM INFORMATION_SCHEMA.PARTITIONS WHERE TABLE_SCHEMA='corpus' AND TABLE_NAME IN ('t','v'))) GROUP BY LOGFILE_GROUP_NAME, FILE_NAME, ENGINE, TOTAL_EXTENTS, INITIAL_SIZE ORDER BY LOGFILE_GROUP_NAME
read | SELECT DISTINCT TABLESPACE_NAME, FILE_NAME, LOGFILE_GROUP_NAME, EXTENT_SIZE, INITIAL_SIZE, ENGINE FROM INFORMATION_SCHEMA.FILES WHERE FILE_TYPE = 'DATAFILE' AND TABLESPACE_NAME IN (SELECT DISTINCT TABLESPACE_NAME FROM INFORMATION_SCHEMA.PARTITIONS WHERE TABLE_SCHEMA='corpus' AND TABLE_NAME IN ('t','v')) ORDER BY TABLESPACE_NAME, LOGFILE_GROUP_NAME
read | SELECT table_name FROM INFORMATION_SCHEMA.TABLES WHERE table_schema = DATABASE() AND table_name = 't'
session silent{leaves state in the session} | LOCK TABLES `t` READ /*!32311 LOCAL */,`v` READ /*!32311 LOCAL */
read | SELECT /*!40001 SQL_NO_CACHE */ `id`, `a`, `b`, `j` FROM `t` WHERE id<3
read only-mariadb | SHOW CREATE SEQUENCE `s`
read only-mariadb | SELECT next_not_cached_value FROM `s`
read only-mariadb | show create table `vt`
read only-mariadb | SELECT /*!40001 SQL_NO_CACHE */ `id` FROM `vt`
read only-mariadb | SHOW PACKAGE STATUS WHERE Db = 'corpus'
read only-mariadb | SHOW PACKAGE BODY STATUS WHERE Db = 'corpus'
read only-mariadb | SHOW CREATE TABLE `vt`
# --- as the command-line client and mariadb-admin emits them -----------------------------------------------------------------
read | select DATABASE(), USER() limit 1
read | select @@character_set_client, @@character_set_connection, @@character_set_server, @@character_set_database limit 1
read | select 1
read | SELECT DATABASE()
read | SHOW /*!50002 FULL*/ TABLES
write silent{works on its server} | CHECK TABLE `insert`
write silent{works on its server} | CHECK TABLE `pt`
write silent{works on its server} | CHECK TABLE `t`
write silent{works on its server} | CHECK TABLE `u`
write silent{works on its server} | CHECK TABLE `u2`
read | show tables
read | show /*!50002 GLOBAL */ status
read | show processlist
read | show /*!40003 GLOBAL */ variables
write silent{works on its server} | flush status
write silent{works on its server} | CHECK TABLE `s`
write silent{works on its server} | CHECK TABLE `vt`
# --- as SQLAlchemy emits them ------------------------------------------------------------------------------------------------
session silent{leaves state in the session} | SET AUTOCOMMIT = 0
read | SELECT VERSION()
read | SELECT @@sql_mode
read | SELECT @@lower_case_table_names
read | SHOW FULL TABLES FROM `corpus`
read | SHOW schemas
read | DESCRIBE `corpus`.`t`
read | SELECT t.id, t.a, t.b, t.j ⏎FROM t ⏎WHERE t.id IN (1, 2, 3) ORDER BY t.a DESC ⏎ LIMIT 1, 5
read | SELECT count(*) AS count_1 ⏎FROM t LEFT OUTER JOIN u ON t.id = u.id
read | SELECT t.a, row_number() OVER (PARTITION BY t.a ORDER BY t.id) AS anon_1 ⏎FROM t
write | SELECT t.id, t.a, t.b, t.j ⏎FROM t FOR UPDATE SKIP LOCKED
write only-mysql silent{works on its server} | SELECT t.id, t.a, t.b, t.j ⏎FROM t FOR SHARE
write | INSERT INTO t (id, a, b) VALUES (9001, 1, 'x')
write | INSERT INTO t (id, a) VALUES (9002, 1),(9003, 2)
write only-mysql | INSERT INTO t (id, a) VALUES (9001, 3) AS new ON DUPLICATE KEY UPDATE a = new.a
write | UPDATE t SET a=(t.a + 1) WHERE t.id = 9001
write | DELETE FROM t WHERE t.id = 9001
read | WITH x AS ⏎(SELECT t.id AS id ⏎FROM t)⏎ SELECT x.id ⏎FROM x
read | SELECT t.id ⏎FROM t UNION ALL SELECT u.id ⏎FROM u
read | SELECT JSON_EXTRACT(t.j, '$.\"a\"') AS anon_1, CAST(t.a AS DECIMAL(10, 2)) AS a ⏎FROM t
read | SELECT EXISTS (SELECT * ⏎FROM t ⏎WHERE t.id = 1) AS anon_1
control silent{transaction control} | SAVEPOINT sa_savepoint_1
read only-mariadb | SELECT @@tx_isolation
write silent{works on its server} | SELECT t.id, t.a, t.b, t.j ⏎FROM t LOCK IN SHARE MODE
write | INSERT INTO t (id, a) VALUES (9001, 3) ON DUPLICATE KEY UPDATE a = VALUES(a)
read | SELECT CAST(t.a AS DECIMAL(10, 2)) AS a ⏎FROM t
# --- as Alembic emits them ---------------------------------------------------------------------------------------------------
write | CREATE TABLE alembic_version (⏎␉version_num VARCHAR(32) NOT NULL, ⏎␉CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)⏎)
# --- as Django emits them ----------------------------------------------------------------------------------------------------
read | SELECT VERSION(),⏎                       @@sql_mode,⏎                       @@default_storage_engine,⏎                       @@sql_auto_is_null,⏎                       @@lower_case_table_names,⏎                       CONVERT_TZ('2001-01-01 01:00:00', 'UTC', 'UTC') IS NOT NULL
read | SELECT⏎                table_name,⏎                table_type,⏎                table_comment⏎            FROM information_schema.tables⏎            WHERE table_schema = DATABASE()
write | ALTER TABLE `django_content_type` ADD CONSTRAINT `django_content_type_app_label_model_76bd3d3b_uniq` UNIQUE (`app_label`, `model`)
write | INSERT INTO `django_migrations` (`app`, `name`, `applied`) VALUES ('contenttypes', '0001_initial', '2026-11-21 07:56:28.519231')
read | SELECT engine⏎            FROM information_schema.tables⏎            WHERE⏎                table_name = 'auth_permission' AND⏎                table_schema = DATABASE()
write | ALTER TABLE `auth_permission` ADD CONSTRAINT `auth_permission_content_type_id_codename_01ab375a_uniq` UNIQUE (`content_type_id`, `codename`)
write | ALTER TABLE `auth_permission` ADD CONSTRAINT `auth_permission_content_type_id_2f476e4b_fk_django_co` FOREIGN KEY (`content_type_id`) REFERENCES `django_content_type` (`id`)
write | ALTER TABLE `auth_group_permissions` ADD CONSTRAINT `auth_group_permissions_group_id_permission_id_0cd325b0_uniq` UNIQUE (`group_id`, `permission_id`)
write | CREATE INDEX `django_session_expire_date_a5c62663` ON `django_session` (`expire_date`)
read | SELECT `django_migrations`.`id`, `django_migrations`.`app`, `django_migrations`.`name`, `django_migrations`.`applied` FROM `django_migrations`
read | SELECT `django_content_type`.`id`, `django_content_type`.`app_label`, `django_content_type`.`model` FROM `django_content_type` WHERE `django_content_type`.`app_label` = 'contenttypes'
write | INSERT INTO `django_content_type` (`app_label`, `model`) VALUES ('contenttypes', 'contenttype')
read | SELECT `django_content_type`.`id`, `django_content_type`.`app_label`, `django_content_type`.`model` FROM `django_content_type` WHERE (`django_content_type`.`app_label` = 'contenttypes' AND `django_content_type`.`model` IN ('contenttype'))
read | SELECT `auth_permission`.`content_type_id` AS `content_type`, `auth_permission`.`codename` AS `codename` FROM `auth_permission` INNER JOIN `django_content_type` ON (`auth_permission`.`content_type_id` = `django_content_type`.`id`) WHERE `auth_permission`.`content_type_id` IN (1) ORDER BY `django_content_type`.`app_label` ASC, `django_content_type`.`model` ASC, 2 ASC
write | INSERT INTO `auth_permission` (`name`, `content_type_id`, `codename`) VALUES ('Can add content type', 1, 'add_contenttype'), ('Can change content type', 1, 'change_contenttype'), ('Can delete content type', 1, 'delete_contenttype'), ('Can view content type', 1, 'view_contenttype')
write | INSERT INTO `django_content_type` (`app_label`, `model`) VALUES ('auth', 'permission'), ('auth', 'group'), ('auth', 'user')
read | SELECT `django_content_type`.`id`, `django_content_type`.`app_label`, `django_content_type`.`model` FROM `django_content_type` WHERE (`django_content_type`.`app_label` = 'auth' AND `django_content_type`.`model` IN ('user', 'permission', 'group'))
read | SELECT `auth_permission`.`content_type_id` AS `content_type`, `auth_permission`.`codename` AS `codename` FROM `auth_permission` INNER JOIN `django_content_type` ON (`auth_permission`.`content_type_id` = `django_content_type`.`id`) WHERE `auth_permission`.`content_type_id` IN (2, 3, 4) ORDER BY `django_content_type`.`app_label` ASC, `django_content_type`.`model` ASC, 2 ASC
write | INSERT INTO `auth_permission` (`name`, `content_type_id`, `codename`) VALUES ('Can add permission', 2, 'add_permission'), ('Can change permission', 2, 'change_permission'), ('Can delete permission', 2, 'delete_permission'), ('Can view permission', 2, 'view_permission'), ('Can add group', 3, 'add_group'), ('Can change group', 3, 'change_group'), ('Can delete group', 3, 'delete_group'), ('Can view group', 3, 'view_group'), ('Can add user', 4, 'add_user'), ('Can change user', 4, 'change_user'), ('Can delete user', 4, 'delete_user'), ('Can view user', 4, 'view_user')
read | SELECT column_name, referenced_column_name, referenced_table_name⏎            FROM information_schema.key_column_usage⏎            WHERE table_name = 'alembic_version'⏎                AND table_schema = DATABASE()⏎                AND referenced_table_schema = DATABASE()⏎                AND referenced_table_name IS NOT NULL⏎                AND referenced_column_name IS NOT NULL
read | SELECT kc.`constraint_name`, kc.`column_name`,⏎                kc.`referenced_table_name`, kc.`referenced_column_name`,⏎                c.`constraint_type`⏎            FROM⏎                information_schema.key_column_usage AS kc,⏎                information_schema.table_constraints AS c⏎            WHERE⏎                kc.table_schema = DATABASE() AND⏎                (⏎                    kc.referenced_table_schema = DATABASE() OR⏎                    kc.referenced_table_schema IS NULL⏎                ) AND⏎                c.table_schema = kc.table_schema AND⏎                c.constraint_name = kc.constraint_name AND⏎                c.constraint_type != 'CHECK' AND⏎                kc.table_name = 'alembic_version'⏎            ORDER BY kc.`ordinal_position`
read | SELECT  table_collation⏎            FROM    information_schema.tables⏎            WHERE   table_schema = DATABASE()⏎            AND     table_name = 'alembic_version'
read | SELECT⏎                column_name, data_type, character_maximum_length,⏎                numeric_precision, numeric_scale, extra, column_default,⏎                CASE⏎                    WHEN collation_name = 'utf8mb4_0900_ai_ci' THEN NULL⏎                    ELSE collation_name⏎                END AS collation_name,⏎                CASE⏎                    WHEN column_type LIKE '% unsigned' THEN 1⏎                    ELSE 0⏎                END AS is_unsigned,⏎                column_comment⏎            FROM information_schema.columns⏎            WHERE table_name = 'alembic_version' AND table_schema = DATABASE()
read | SELECT cc.constraint_name, cc.check_clause⏎                    FROM⏎                        information_schema.check_constraints AS cc,⏎                        information_schema.table_constraints AS tc⏎                    WHERE⏎                        cc.constraint_schema = DATABASE() AND⏎                        tc.table_schema = cc.constraint_schema AND⏎                        cc.constraint_name = tc.constraint_name AND⏎                        tc.constraint_type = 'CHECK' AND⏎                        tc.table_name = 'alembic_version'
read | SELECT * FROM `auth_group` LIMIT 1
read | SHOW INDEX FROM `auth_group`
read | SELECT * FROM `auth_group_permissions` LIMIT 1
read | SHOW INDEX FROM `auth_group_permissions`
read | SELECT * FROM `auth_permission` LIMIT 1
read | SHOW INDEX FROM `auth_permission`
read | SELECT * FROM `django_content_type` LIMIT 1
read | SHOW INDEX FROM `django_content_type`
read | SELECT * FROM `auth_user` LIMIT 1
read | SHOW INDEX FROM `auth_user`
read | SELECT * FROM `auth_user_groups` LIMIT 1
read | SHOW INDEX FROM `auth_user_groups`
read | SELECT * FROM `auth_user_user_permissions` LIMIT 1
read | SHOW INDEX FROM `auth_user_user_permissions`
read | SELECT * FROM `django_migrations` LIMIT 1
read | SHOW INDEX FROM `django_migrations`
read | SELECT * FROM `django_session` LIMIT 1
read | SHOW INDEX FROM `django_session`
read | SELECT * FROM `insert` LIMIT 1
read | SHOW INDEX FROM `insert`
read | SELECT * FROM `pt` LIMIT 1
read | SHOW INDEX FROM `pt`
read | SELECT * FROM `t` LIMIT 1
read | SHOW INDEX FROM `t`
read | SELECT * FROM `u` LIMIT 1
read | SHOW INDEX FROM `u`
read | SELECT * FROM `u2` LIMIT 1
read | SHOW INDEX FROM `u2`
write | INSERT INTO `auth_user` (`password`, `last_login`, `is_superuser`, `username`, `first_name`, `last_name`, `email`, `is_staff`, `is_active`, `date_joined`) VALUES ('pbkdf2_sha256$1000000$U66eerhzDMyTt0YexcLGbV$WSI3wTixJMT8JOb+BeQ6GKRoZyzgJUcRWS0HkrQ/3Ks=', NULL, 0, 'a', '', '', 'a@x.org', 0, 1, '2026-11-21 07:56:29.211505')
write | INSERT INTO `auth_group` (`name`) VALUES ('g')
write | INSERT IGNORE INTO `auth_user_groups` (`user_id`, `group_id`) VALUES (1, 1)
read | SELECT `auth_user`.`id`, `auth_user`.`password`, `auth_user`.`last_login`, `auth_user`.`is_superuser`, `auth_user`.`username`, `auth_user`.`first_name`, `auth_user`.`last_name`, `auth_user`.`email`, `auth_user`.`is_staff`, `auth_user`.`is_active`, `auth_user`.`date_joined` FROM `auth_user` WHERE ((`auth_user`.`username` LIKE '%a%' OR `auth_user`.`email` LIKE BINARY '%x.org') AND `auth_user`.`is_active` = 1 AND NOT (`auth_user`.`id` = 5)) ORDER BY `auth_user`.`date_joined` DESC LIMIT 10
read | SELECT `auth_user`.`id`, `auth_user`.`password`, `auth_user`.`last_login`, `auth_user`.`is_superuser`, `auth_user`.`username`, `auth_user`.`first_name`, `auth_user`.`last_name`, `auth_user`.`email`, `auth_user`.`is_staff`, `auth_user`.`is_active`, `auth_user`.`date_joined` FROM `auth_user`
read | SELECT (`auth_user_groups`.`user_id`) AS `_prefetch_related_val_user_id`, `auth_group`.`id`, `auth_group`.`name` FROM `auth_group` INNER JOIN `auth_user_groups` ON (`auth_group`.`id` = `auth_user_groups`.`group_id`) WHERE `auth_user_groups`.`user_id` IN (1)
read | SELECT (`auth_user_user_permissions`.`user_id`) AS `_prefetch_related_val_user_id`, `auth_permission`.`id`, `auth_permission`.`name`, `auth_permission`.`content_type_id`, `auth_permission`.`codename` FROM `auth_permission` INNER JOIN `auth_user_user_permissions` ON (`auth_permission`.`id` = `auth_user_user_permissions`.`permission_id`) INNER JOIN `django_content_type` ON (`auth_permission`.`content_type_id` = `django_content_type`.`id`) WHERE `auth_user_user_permissions`.`user_id` IN (1) ORDER BY `django_content_type`.`app_label` ASC, `django_content_type`.`model` ASC, `auth_permission`.`codename` ASC
read | SELECT 1 AS `a` FROM `auth_user` INNER JOIN `auth_user_groups` ON (`auth_user`.`id` = `auth_user_groups`.`user_id`) INNER JOIN `auth_group` ON (`auth_user_groups`.`group_id` = `auth_group`.`id`) WHERE `auth_group`.`name` = 'g' LIMIT 1
read | SELECT COUNT(*) AS `__count` FROM `auth_user`
read | SELECT `auth_user`.`username` AS `username`, COUNT(`auth_user_groups`.`group_id`) AS `n` FROM `auth_user` LEFT OUTER JOIN `auth_user_groups` ON (`auth_user`.`id` = `auth_user_groups`.`user_id`) GROUP BY `auth_user`.`id` HAVING COUNT(`auth_user_groups`.`group_id`) > 0 ORDER BY `auth_user`.`id` ASC LIMIT 1
read | SELECT MAX(`auth_user`.`last_login`) AS `last_login__max` FROM `auth_user`
read | SELECT `auth_user`.`id`, `auth_user`.`password`, `auth_user`.`last_login`, `auth_user`.`is_superuser`, `auth_user`.`username`, `auth_user`.`first_name`, `auth_user`.`last_name`, `auth_user`.`email`, `auth_user`.`is_staff`, `auth_user`.`is_active`, `auth_user`.`date_joined`, ROW_NUMBER() OVER (ORDER BY `auth_user`.`id` DESC) AS `r` FROM `auth_user`
read | SELECT `auth_user`.`id`, `auth_user`.`password`, `auth_user`.`last_login`, `auth_user`.`is_superuser`, `auth_user`.`username`, `auth_user`.`first_name`, `auth_user`.`last_name`, `auth_user`.`email`, `auth_user`.`is_staff`, `auth_user`.`is_active`, `auth_user`.`date_joined` FROM `auth_user` WHERE EXISTS(SELECT 1 AS `a` FROM `auth_group` U0 INNER JOIN `auth_user_groups` U1 ON (U0.`id` = U1.`group_id`) WHERE U1.`user_id` = (`auth_user`.`id`) LIMIT 1)
read | SELECT DISTINCT `auth_user`.`id` AS `id` FROM `auth_user` WHERE `auth_user`.`username` IN ('a', 'b')
read only-mysql | (SELECT `auth_user`.`id` AS `col1`, `auth_user`.`password` AS `col2`, `auth_user`.`last_login` AS `col3`, `auth_user`.`is_superuser` AS `col4`, `auth_user`.`username` AS `col5`, `auth_user`.`first_name` AS `col6`, `auth_user`.`last_name` AS `col7`, `auth_user`.`email` AS `col8`, `auth_user`.`is_staff` AS `col9`, `auth_user`.`is_active` AS `col10`, `auth_user`.`date_joined` AS `col11` FROM `auth_user` WHERE REGEXP_LIKE(`auth_user`.`username`, '^a', 'c')) UNION (SELECT `auth_user`.`id` AS `col1`, `auth_user`.`password` AS `col2`, `auth_user`.`last_login` AS `col3`, `auth_user`.`is_superuser` AS `col4`, `auth_user`.`username` AS `col5`, `auth_user`.`first_name` AS `col6`, `auth_user`.`last_name` AS `col7`, `auth_user`.`email` AS `col8`, `auth_user`.`is_staff` AS `col9`, `auth_user`.`is_active` AS `col10`, `auth_user`.`date_joined` AS `col11` FROM `auth_user` WHERE `auth_user`.`is_staff` = 1)
write | SELECT `auth_user`.`id`, `auth_user`.`password`, `auth_user`.`last_login`, `auth_user`.`is_superuser`, `auth_user`.`username`, `auth_user`.`first_name`, `auth_user`.`last_name`, `auth_user`.`email`, `auth_user`.`is_staff`, `auth_user`.`is_active`, `auth_user`.`date_joined` FROM `auth_user` WHERE `auth_user`.`id` = 1 FOR UPDATE SKIP LOCKED
control silent{transaction control} | SAVEPOINT `s139956257889152_x1`
write | UPDATE `auth_user` SET `last_login` = NULL, `first_name` = LOWER(`auth_user`.`username`) WHERE `auth_user`.`id` = 1
read | SELECT `auth_user`.`id`, `auth_user`.`password`, `auth_user`.`last_login`, `auth_user`.`is_superuser`, `auth_user`.`username`, `auth_user`.`first_name`, `auth_user`.`last_name`, `auth_user`.`email`, `auth_user`.`is_staff`, `auth_user`.`is_active`, `auth_user`.`date_joined` FROM `auth_user` WHERE `auth_user`.`username` = 'b' LIMIT 21
write | SELECT `auth_user`.`id`, `auth_user`.`password`, `auth_user`.`last_login`, `auth_user`.`is_superuser`, `auth_user`.`username`, `auth_user`.`first_name`, `auth_user`.`last_name`, `auth_user`.`email`, `auth_user`.`is_staff`, `auth_user`.`is_active`, `auth_user`.`date_joined` FROM `auth_user` WHERE `auth_user`.`username` = 'b' LIMIT 21 FOR UPDATE
write | UPDATE `auth_user` SET `last_login` = NULL, `email` = 'b', `date_joined` = '2026-11-21 07:56:29.595565' WHERE `auth_user`.`id` = 2
write | INSERT IGNORE INTO `auth_group` (`name`) VALUES ('x'), ('y')
write | DELETE FROM `auth_user_groups` WHERE `auth_user_groups`.`user_id` IN (1)
write | DELETE FROM `auth_user_user_permissions` WHERE `auth_user_user_permissions`.`user_id` IN (1)
write | DELETE FROM `auth_user` WHERE `auth_user`.`id` IN (1)
write | DELETE FROM `django_session` WHERE `django_session`.`expire_date` < '2026-11-21 07:56:29.211505'
write only-mariadb | INSERT INTO `django_migrations` (`app`, `name`, `applied`) VALUES ('contenttypes', '0001_initial', '2026-11-21 07:56:51.901441') RETURNING `django_migrations`.`id`
write only-mariadb | INSERT INTO `django_content_type` (`app_label`, `model`) VALUES ('contenttypes', 'contenttype') RETURNING `django_content_type`.`id`
write only-mariadb | INSERT INTO `auth_permission` (`name`, `content_type_id`, `codename`) VALUES ('Can add content type', 1, 'add_contenttype'), ('Can change content type', 1, 'change_contenttype'), ('Can delete content type', 1, 'delete_contenttype'), ('Can view content type', 1, 'view_contenttype') RETURNING `auth_permission`.`id`
write only-mariadb | INSERT INTO `django_content_type` (`app_label`, `model`) VALUES ('auth', 'permission'), ('auth', 'group'), ('auth', 'user') RETURNING `django_content_type`.`id`
write only-mariadb | INSERT INTO `auth_permission` (`name`, `content_type_id`, `codename`) VALUES ('Can add permission', 2, 'add_permission'), ('Can change permission', 2, 'change_permission'), ('Can delete permission', 2, 'delete_permission'), ('Can view permission', 2, 'view_permission'), ('Can add group', 3, 'add_group'), ('Can change group', 3, 'change_group'), ('Can delete group', 3, 'delete_group'), ('Can view group', 3, 'view_group'), ('Can add user', 4, 'add_user'), ('Can change user', 4, 'change_user'), ('Can delete user', 4, 'delete_user'), ('Can view user', 4, 'view_user') RETURNING `auth_permission`.`id`
read only-mariadb | SELECT c.constraint_name AS column_name⏎                FROM information_schema.check_constraints AS c⏎                WHERE⏎                    c.table_name = 'alembic_version' AND⏎                    LOWER(c.check_clause) =⏎                        'json_valid(`' + LOWER(c.constraint_name) + '`)' AND⏎                    c.constraint_schema = DATABASE()
read only-mariadb | SELECT c.constraint_name, c.check_clause⏎                    FROM information_schema.check_constraints AS c⏎                    WHERE⏎                        c.constraint_schema = DATABASE() AND⏎                        c.table_name = 'alembic_version'
write only-mariadb | INSERT INTO `auth_user` (`password`, `last_login`, `is_superuser`, `username`, `first_name`, `last_name`, `email`, `is_staff`, `is_active`, `date_joined`) VALUES ('pbkdf2_sha256$1000000$45ZrhzjXC0WAjfHkhB1dHj$1qThhjrZP9KH0y2jJjJD4rdbC17zMxozytDHKts8PCc=', NULL, 0, 'a', '', '', 'a@x.org', 0, 1, '2026-11-21 07:56:52.645759') RETURNING `auth_user`.`id`
write only-mariadb | INSERT INTO `auth_group` (`name`) VALUES ('g') RETURNING `auth_group`.`id`
read only-mariadb | (SELECT `auth_user`.`id` AS `col1`, `auth_user`.`password` AS `col2`, `auth_user`.`last_login` AS `col3`, `auth_user`.`is_superuser` AS `col4`, `auth_user`.`username` AS `col5`, `auth_user`.`first_name` AS `col6`, `auth_user`.`last_name` AS `col7`, `auth_user`.`email` AS `col8`, `auth_user`.`is_staff` AS `col9`, `auth_user`.`is_active` AS `col10`, `auth_user`.`date_joined` AS `col11` FROM `auth_user` WHERE `auth_user`.`username` REGEXP BINARY '^a') UNION (SELECT `auth_user`.`id` AS `col1`, `auth_user`.`password` AS `col2`, `auth_user`.`last_login` AS `col3`, `auth_user`.`is_superuser` AS `col4`, `auth_user`.`username` AS `col5`, `auth_user`.`first_name` AS `col6`, `auth_user`.`last_name` AS `col7`, `auth_user`.`email` AS `col8`, `auth_user`.`is_staff` AS `col9`, `auth_user`.`is_active` AS `col10`, `auth_user`.`date_joined` AS `col11` FROM `auth_user` WHERE `auth_user`.`is_staff` = 1)
control silent{transaction control} | SAVEPOINT `s140244171582336_x1`
# --- as Peewee emits them ----------------------------------------------------------------------------------------------------
read | SELECT table_name FROM information_schema.tables WHERE table_schema = COALESCE(NULL, DATABASE()) AND table_type != 'VIEW' ORDER BY table_name
read | SELECT column_name, is_nullable, data_type, column_default,⏎                column_type, extra⏎            FROM information_schema.columns⏎            WHERE table_name = 't' AND table_schema = COALESCE(NULL, DATABASE())⏎            ORDER BY ordinal_position
read | SELECT kcu.column_name, kcu.referenced_table_name,⏎                kcu.referenced_column_name, kcu.constraint_name,⏎                rc.delete_rule, rc.update_rule⏎            FROM information_schema.key_column_usage AS kcu⏎            INNER JOIN information_schema.referential_constraints AS rc⏎                ON (rc.constraint_schema = kcu.constraint_schema AND⏎                    rc.constraint_name = kcu.constraint_name AND⏎                    rc.table_name = kcu.table_name)⏎            WHERE kcu.table_name = 't'⏎                AND kcu.table_schema = COALESCE(NULL, DATABASE())⏎                AND kcu.referenced_table_name IS NOT NULL⏎                AND kcu.referenced_column_name IS NOT NULL
read | SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = COALESCE(NULL, DATABASE()) ORDER BY table_name
# --- backslashes before another quote than their own -------------------------------------------------------------------------------------
read | SELECT JSON_EXTRACT(j, '$.\"a\"') FROM t
read | SELECT * FROM t WHERE JSON_CONTAINS(j, '{\"b\": \"x; DELETE FROM t\"}')
read | SELECT "it\'s; DELETE FROM t"
read | SELECT '\"', "\'", `a\'` FROM (SELECT 1 AS `a\'`) x
read | SELECT 1 -- it\'s
read | SELECT 1 # it\'s
read | SELECT 1 /* it\'s */
read | SELECT '\\"', '\\\"', "\\\'"
write error{with NO_BACKSLASH_ESCAPES it deletes} | SELECT '"\\\', '; DELETE FROM t; -- '
write silent{with ANSI_QUOTES the name ends sooner} | SELECT "'\"; DELETE FROM t; -- "

# A number may end in its point.
session silent{variables are the session's own} | SELECT 1. INTO @x
session silent{variables are the session's own} | SELECT 1.INTO @x
write noexec{writes a file} | SELECT 1.INTO OUTFILE '/nonexistent/x'
write noexec{writes a file} | SELECT 1. INTO OUTFILE '/nonexistent/x'
read | SELECT 1. AS a, 2.e1 AS b, 3.+4. AS c

# Executable comments for different servers: any of them may be run, or none.
session silent{a named lock is its server's own} | SELECT /*!50000 get_lock */ /*!99999 abs */ ('corpus', 1)
session silent{a named lock is its server's own} | SELECT /*!50000 get_lock */ /*!50001 ('corpus', 1) */ /*!99999 , abs (1) */
write silent{a read on each of these servers} | SELECT /*!40000 1 */ /*!40001 + 1 */ /*!40002 + 1 */ /*!40003 + 1 */
read | SELECT 1 /*!50000 + 1 */ /*M!100000 + 1 */
read | SELECT /*!50000 1 */ /*!50000 + 1 */

# Blanks of other character sets.
write error{a name, in UTF-8} | SELECT 1 INTO OUTFILE '/nonexistent/x'
write silent{a name, in UTF-8} | SELECT 1 AS  x
read | SELECT 'a b' AS `c d`

# Words that are no reserved ones are names of functions too; what stands around them decides.
read unknown{writes} | SELECT operator()
read unknown{writes} | SELECT 1 + copy()
read unknown{writes} | SELECT €()
read unknown{writes} | SELECT corpus.€()
read only-mysql | SELECT a, COUNT(*) FROM t GROUP BY ROLLUP (a)
read only-mysql | SELECT x.* FROM t, LATERAL (SELECT t.id) AS x
read | SELECT * FROM JSON_TABLE('[1, 2]', '$[*]' COLUMNS (a INT PATH '$')) AS j

# Reading these resets what they show.
write silent{statistics of the server's own} | SELECT * FROM information_schema.INNODB_CMP_RESET
write silent{statistics of the server's own} | SELECT page_size FROM INFORMATION_SCHEMA.`INNODB_CMPMEM_RESET`
write silent{statistics of the server's own} | SHOW COLUMNS FROM information_schema.innodb_cmp_per_index_reset

# What ends a transaction on the way.
write silent{it is told to each server} | LOAD INDEX INTO CACHE nothing
write error{there is no such file} | IMPORT TABLE FROM '/nonexistent/x.sdi'
write error{there is no such plugin} | CLONE LOCAL DATA DIRECTORY '/nonexistent/x'
write only-mariadb | SET STATEMENT max_statement_time = 10 FOR CREATE TABLE nt (id INT)

# Functions of the server's own that are in no list of the manuals' functions, or in one of their own.
write only-mysql silent{it is the server's own} | SELECT innodb_set_open_files_limit(5000)
write only-mysql silent{it is the server's own} | SELECT INNODB_REDO_LOG_SHARP_CHECKPOINT()
read | SELECT ST_X(ST_GeomFromText('POINT(1 2)')), ST_AsText(ST_PointFromText('POINT(1 2)')), ST_Contains(POINT(1, 2), POINT(1, 2))
read | SELECT DISTINCTROW (a), b FROM t
read | SELECT HIGH_PRIORITY SQL_SMALL_RESULT (a) FROM t

# MariaDB's Oracle mode takes the notation of a column for the sequence's next value, with quotes too.
write only-mariadb after{SET sql_mode = 'ORACLE'} | SELECT s.`nextval`
write only-mariadb after{SET sql_mode = 'ORACLE'} | SELECT corpus.s."nextval"
read only-mariadb | SELECT 1 PROCEDURE ANALYSE()

# The last value of a sequence in MariaDB's Oracle mode, quoted; its name for ROW_COUNT().
session only-mariadb after{SET sql_mode = 'ORACLE'} silent{needs the session's last value} | SELECT s.`currval`
session only-mariadb after{SET sql_mode = 'ORACLE'} silent{needs the session's last value} | SELECT corpus.s."CurrVal"
session only-mariadb after{SET sql_mode = 'ORACLE'} silent{tells of the earlier statement} | SELECT SQL%ROWCOUNT
session only-mariadb after{SET sql_mode = 'ORACLE'} silent{tells of the earlier statement} | SELECT sql /* x */ % rowcount

# An XPath may name a user variable.
session silent{reads a user variable} | SELECT EXTRACTVALUE('<a>1</a>', '/a[$@a]')
session silent{reads a user variable} | SELECT updatexml('<a>1</a>', '/a[$@a]', '<b/>')
read | SELECT EXTRACTVALUE('<a b="1">x</a>', '/a/@b'), UPDATEXML('<a>1</a>', '/a', '<b/>')

# Reading these resets what they show, whatever quotes they are in.
write after{SET sql_mode = 'ANSI_QUOTES'} silent{statistics of the server's own} | SELECT * FROM "information_schema"."INNODB_CMP_RESET"
