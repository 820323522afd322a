"""The smallest file: one DSN for the writer, a list of DSNs for the readers."""

from __future__ import annotations

import pytest

from dbrouter.config import RouterConfig, load, loads
from dbrouter.errors import ConfigError
from dbrouter.terms import Engine, WhenEmpty


def test_the_smallest_file_becomes_the_whole_shape() -> None:
    """Writer and readers become one database with hostgroups 1 and 2."""
    config = loads("writer: postgresql://app@db1/shop\nreaders: [postgresql://app@db2/shop, postgresql://app@db3:5433/shop]\n")

    database = config.databases["shop"]
    assert config.default_database == "shop"
    assert (database.engine, database.driver, database.user, database.database) == (Engine.POSTGRESQL, "asyncpg", "app", "shop")
    assert (database.writer_hostgroup, database.reader_hostgroup) == (1, 2)
    writer, reader = config.hostgroups
    assert [server.node_id for server in writer.servers] == ["db1:5432"]
    assert [server.node_id for server in reader.servers] == ["db2:5432", "db3:5433"]
    assert (writer.name, writer.database, writer.read_only, writer.when_empty) == ("shop-write", "shop", False, WhenEmpty.WAIT)
    assert (reader.name, reader.database, reader.read_only, reader.when_empty) == ("shop-read", "shop", True, WhenEmpty.WRITER)
    assert config.is_writer(writer) and not config.is_writer(reader)


@pytest.mark.parametrize("extra", [{}, {"readers": []}, {"readers": None}])
def test_a_writer_alone_reads_from_the_writer(extra: dict[str, object]) -> None:
    """Without readers there is no reader hostgroup."""
    config = load({"writer": "mysql://app@db1/shop", **extra})

    assert config.databases["shop"].reader_hostgroup is None
    assert [hostgroup.id for hostgroup in config.hostgroups] == [1]


def test_a_dsn_without_database_makes_the_database_default() -> None:
    """The database is called default where no DSN names one."""
    assert load({"writer": "mysql://app@db1"}).default_database == "default"


def test_what_one_dsn_says_holds_for_all() -> None:
    """Readers may leave out what the writer says."""
    config = load(
        {"writer": "postgresql://app:pw@db1/shop?sslmode=require", "readers": ["postgresql://db2", "postgresql:///?host=/run/pg"]}
    )

    database = config.databases["shop"]
    assert database.password is not None and database.password.get_secret_value() == "pw"
    assert database.tls.mode == "require"
    assert [server.node_id for server in config.hostgroups[1].servers] == ["db2:5432", "/run/pg:5432"]


def test_other_keys_go_with_the_small_shape() -> None:
    """Groups and rules may stand beside writer and readers; rules name the hostgroups by number or name."""
    config = load(
        {
            "writer": "postgresql://app@db1/shop",
            "readers": ["postgresql://app@db2/shop"],
            "pool": {"max_size": 3},
            "query_rules": [
                {"rule_id": 2, "destination_hostgroup": "shop-read"},
                {"rule_id": 1, "destination_hostgroup": 1, "apply": True},
            ],
        }
    )

    assert config.pool.max_size == 3
    assert [(rule.rule_id, rule.destination_hostgroup, rule.database) for rule in config.query_rules] == [
        (1, 1, "shop"),
        (2, 2, "shop"),
    ]


@pytest.mark.parametrize(
    ("readers", "path", "message"),
    [
        (["postgresql://app@db2/other"], "readers[0]", "its database name differs from the writer's"),
        (["postgresql://other@db2/shop"], "readers[0]", "its user differs from the writer's"),
        (["postgresql://app:secret@db2/shop"], "readers[0]", "its password differs from the writer's"),
        (["mysql://app@db2/shop"], "readers[0]", "its engine differs from the writer's"),
        (["postgresql://app@db2/shop?sslmode=require"], "readers[0]", "its parameter for mode differs from the writer's"),
        (["postgresql://app@/shop"], "readers[0]", "names no host"),
        (["postgresql://app@db2/shop", "postgresql://app@db2:5432/shop"], "readers[1]", "db2:5432 is in hostgroup 2 twice"),
        ("postgresql://app@db2/shop", "readers", "is not a list of DSNs"),
        ([5], "readers[0]", "is not a DSN"),
        ([None], "readers[0]", "is not a DSN"),
        (["postgresql://app@db2,db3/shop"], "readers[0]", "names several hosts"),
    ],
)
def test_readers_that_do_not_fit_are_problems(readers: object, path: str, message: str) -> None:
    """The DSNs of one database agree, and each names one server."""
    with pytest.raises(ConfigError) as caught:
        load({"writer": "postgresql://app:pw@db1/shop?sslmode=prefer", "readers": readers})

    assert [problem.path for problem in caught.value.problems] == [path]
    assert message in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ({}, "", "names no servers"),
        ({"readers": ["postgresql://app@db2/shop"]}, "writer", "is missing"),
        ({"writer": "postgresql://app@db1/shop", "hostgroups": []}, "hostgroups", "does not go with writer and readers"),
        ({"writer": "postgresql://app@db1/shop", "databases": {}}, "databases", "does not go with writer and readers"),
    ],
)
def test_half_shapes_are_problems(document: dict[str, object], path: str, message: str) -> None:
    """A file has one of the two shapes."""
    with pytest.raises(ConfigError) as caught:
        load(document)

    assert caught.value.problems[0].path == path
    assert message in caught.value.problems[0].message


def test_one_server_may_write_and_read() -> None:
    """A server in both hostgroups is one node."""
    config = load({"writer": "postgresql://app@db1/shop", "readers": ["postgresql://app@db1/shop"]})

    assert {server.node_id for hostgroup in config.hostgroups for server in hostgroup.servers} == {"db1:5432"}


def test_a_router_config_is_answered_as_it_is() -> None:
    """A configuration that is one already is checked and comes back itself; a broken one is refused."""
    config = load({"writer": "postgresql://app@db1/shop"})

    assert load(config) is config
    broken = RouterConfig(databases=config.databases, hostgroups=(*config.hostgroups, *config.hostgroups))
    with pytest.raises(ConfigError, match="hostgroup 1 is there twice"):
        load(broken)


def test_nothing_the_caller_passes_is_changed() -> None:
    """The mapping is the same afterwards, also where values were replaced or removed."""
    document = {"writer": "postgresql://app:${PW}@db1/shop", "readers": [], "query_rules": [{"rule_id": 1, "match_digest": ""}]}
    before = repr(document)

    load(document, environ={"PW": "x"})

    assert repr(document) == before


@pytest.mark.parametrize("source", [5, None, ["writer"], b"x"])
def test_other_sources_are_refused(source: object) -> None:
    """A source is a path, a mapping or a RouterConfig."""
    with pytest.raises(ConfigError, match="pass the path of a file, a mapping or a RouterConfig"):
        load(source)  # type: ignore[arg-type]
