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
