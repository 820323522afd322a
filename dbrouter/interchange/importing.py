"""
From ProxySQL: `import_proxysql` makes a configuration of ours from whatever ProxySQL's users have, with a compatibility report.

The configuration it gives has been loaded and checked. Passwords leave it: `${VAR}` stands for each, unless the caller wants them
written. `vetoed_rules` says where the safety veto will not let a rule have its way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dbrouter.config.dump import password_variable, to_yaml
from dbrouter.config.interpolate import SECRET_FILE, SECRET_TEXT
from dbrouter.config.load import load_converted
from dbrouter.config.model import RouterConfig
from dbrouter.config.problems import Problems
from dbrouter.config.proxysql import Conversion, Note, Outcome, convert
from dbrouter.interchange.read import Format, read_proxysql
from dbrouter.interchange.veto import vetoed_rules


@dataclass(slots=True, kw_only=True)
class Imported:
    """
    What became of a ProxySQL configuration.

    Attributes:
        value: the configuration as users write it.
        config: the same, checked.
        notes: what became of every value.
        lost: active rules that could not be carried, as messages name them.
        variables: the environment variables that stand for passwords, by the name of their database.
    """

    value: dict[str, Any]
    config: RouterConfig
    notes: list[Note] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    def yaml(self, source: str) -> str:
        """The text of the file; *source* is named in its first line."""
        lines = [f"Made from {source} by dbrouter import proxysql."]
        lines += [f"{name} is the password of database {database}." for database, name in self.variables.items()]
        return to_yaml(self.value, comment="\n".join(lines))


def import_proxysql(
    file: str,
    *,
    format: Format | None = None,
    user: str | None = None,
    dbname: str | None = None,
    with_passwords: bool = False,
    environ: Mapping[str, str],
) -> Imported:
    """
    The configuration that *file* says, as near as dbrouter can.

    Args:
        format: how the file is written; told by itself where it is None.
        user: import what this user of ProxySQL reaches, and nothing else.
        dbname: the database on the servers, where ProxySQL does not know it.
        with_passwords: write passwords instead of variables.
        environ: where variables of a YAML file are looked up for the check.

    Raises:
        ConfigError: the file cannot be read, or what it says cannot be carried; with lines and paths of the original.
    """
    document, found = read_proxysql(file, format)
    problems = Problems(document.file, document.lines)
    conversion = convert(document.value, problems, lenient=True, typed=found is Format.CNF, user=user, dbname=dbname)
    problems.raise_if_any()
    document.value = None  # Of a large file it is a third of the memory, and only its lines are asked for from here on.
    stored = _ask_for_stored_passwords(conversion)
    config = load_converted(conversion, document, environ=_with_passwords(environ, conversion.value))
    imported = Imported(value=conversion.value, config=config, notes=conversion.notes, lost=conversion.lost, variables=stored)
    if not with_passwords:
        _hide_passwords(imported)
    imported.notes += [_veto_note(rule_id, example, hostgroup) for rule_id, example, hostgroup in vetoed_rules(config)]
    return imported


def _with_passwords(environ: Mapping[str, str], value: dict[str, Any]) -> Mapping[str, str]:
    """*environ*, in which passwords that are variables have some value: whether it is right only servers could say."""
    names = [re.fullmatch(r"\$\{(\w+)\}", str(database.get("password", ""))) for database in value["databases"].values()]
    return {**{found[1]: found[1] for found in names if found}, **environ}


def _ask_for_stored_passwords(conversion: Conversion) -> dict[str, str]:
    """A variable for each password of which ProxySQL has only what a server stores; answers them by their databases."""
    stored = {
        note.row
        for note in conversion.notes
        if note.table.endswith("_users") and note.column == "password" and note.outcome is Outcome.DROPPED
    }
    variables: dict[str, str] = {}
    for name, database in conversion.value["databases"].items():
        if "password" not in database and database.get("user") in stored:
            variables[name] = password_variable(name)
            database["password"] = f"${{{variables[name]}}}"
    return variables


def _hide_passwords(imported: Imported) -> None:
    for name, database in imported.value["databases"].items():
        written = database.get("password")
        if written is None or (str(written).startswith((SECRET_FILE, "${")) and not str(written).startswith(SECRET_TEXT)):
            continue
        imported.variables[name] = password_variable(name)
        database["password"] = f"${{{imported.variables[name]}}}"


def _veto_note(rule_id: int, example: str, hostgroup: str) -> Note:
    why = (
        f"it sends writes to readers too, such as {example!r}: the safety veto keeps them on the writer "
        f"(where hostgroup {hostgroup!r} takes writes, say so: read_only: false there and unsafe: true on the rule)"
    )
    return Note("query_rules", f"rule_id {rule_id}", "destination_hostgroup", Outcome.CHANGED, why)
