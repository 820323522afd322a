-- What there is on MariaDB as well.
CREATE TABLE vt (id INT) WITH SYSTEM VERSIONING;
CREATE SEQUENCE s;
