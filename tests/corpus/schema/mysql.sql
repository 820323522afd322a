-- What the statements of ../mysql.sql find on MySQL and MariaDB; a line that ends in a semicolon ends a statement.
DROP DATABASE IF EXISTS corpus;
DROP DATABASE IF EXISTS corpus2;
CREATE DATABASE corpus;
USE corpus;
CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b VARCHAR(100), j JSON, FULLTEXT (b)) ENGINE = InnoDB;
CREATE TABLE u (id INT PRIMARY KEY);
CREATE TABLE u2 (id INT PRIMARY KEY);
CREATE TABLE pt (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2;
CREATE TABLE `insert` (`delete` INT, `Update` INT);
INSERT INTO t (a, b, j) VALUES (1, 'x', '{"a": 1}'), (2, 'y', '{}');
INSERT INTO u VALUES (1);
CREATE VIEW v AS SELECT * FROM t;
CREATE FUNCTION f_read() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM corpus.t);
CREATE FUNCTION f_write() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO corpus.u VALUES (900); RETURN 1; END;
CREATE FUNCTION operator() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO corpus.u VALUES (901); RETURN 1; END;
CREATE FUNCTION copy() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO corpus.u VALUES (902); RETURN 1; END;
CREATE FUNCTION `€`() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO corpus.u VALUES (903); RETURN 1; END;
CREATE SQL SECURITY INVOKER VIEW v_write AS SELECT corpus.f_write();
CREATE PROCEDURE p_write() SQL SECURITY INVOKER DELETE FROM corpus.t;
CREATE PROCEDURE p_read() SELECT 1;
CREATE PROCEDURE p_out(OUT x INT) SET x = 1;
DROP USER IF EXISTS corpus_user@localhost;
DROP ROLE IF EXISTS corpus_role;

-- What Django's own applications make of their models, for the statements that it emits.
CREATE TABLE django_migrations (id INT AUTO_INCREMENT PRIMARY KEY, app VARCHAR(255), name VARCHAR(255), applied DATETIME(6));
CREATE TABLE django_content_type (id INT AUTO_INCREMENT PRIMARY KEY, app_label VARCHAR(100), model VARCHAR(100));
CREATE TABLE django_session (session_key VARCHAR(40) PRIMARY KEY, session_data LONGTEXT, expire_date DATETIME(6));
CREATE TABLE auth_permission (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255), content_type_id INT, codename VARCHAR(100));
CREATE TABLE auth_group (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(150) UNIQUE);
CREATE TABLE auth_group_permissions (id INT AUTO_INCREMENT PRIMARY KEY, group_id INT, permission_id INT);
CREATE TABLE auth_user (
    id INT AUTO_INCREMENT PRIMARY KEY, password VARCHAR(128), last_login DATETIME(6), is_superuser BOOL, username VARCHAR(150) UNIQUE,
    first_name VARCHAR(150), last_name VARCHAR(150), email VARCHAR(254), is_staff BOOL, is_active BOOL, date_joined DATETIME(6)
);
CREATE TABLE auth_user_groups (id INT AUTO_INCREMENT PRIMARY KEY, user_id INT, group_id INT, UNIQUE (user_id, group_id));
CREATE TABLE auth_user_user_permissions (id INT AUTO_INCREMENT PRIMARY KEY, user_id INT, permission_id INT);
