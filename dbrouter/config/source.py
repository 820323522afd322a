"""
From a YAML file to plain values with their lines: YAML 1.2, duplicate keys refused, no tag that would build an object.

The one file that imports ruamel.yaml. It composes nodes and builds the values itself, so that every value has its line, every
duplicate key is reported (with both lines) and nothing of the text is ever quoted in a message: a file may hold passwords.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dbrouter.config.problems import Path, Problems, looks_secret, show_path
from dbrouter.config.rows import Folded, fold
from dbrouter.errors import ConfigError

MAX_BYTES = 64 * 1024 * 1024
MAX_VALUES = 500_000
"""How many values aliases may make beyond those that the text itself can hold."""
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_TAG + name for name in ("null", "bool", "int", "float")}
_TEXT_TAGS = {_TAG + name for name in ("str", "timestamp", "value")}
"""A date is text here: no key of ours takes one."""


@dataclass(slots=True)
class Document:
    """Plain values (dict, list, str, int, float, bool, None) and the line of each path."""

    value: Any
    file: str | None = None
    lines: dict[Path, int] = field(default_factory=dict)


def read_file(file: str | FilePath) -> Document:
    """
    The document in a file.

    Raises:
        ConfigError: it cannot be read, is no text, no YAML, has duplicate keys, or is empty.
    """
    name = os.fspath(file)
    data = read_bytes(name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(name, f"is not text in UTF-8 (byte {error.start})")
    return read_text(text, name)


def read_bytes(name: str) -> bytes:
    """
    The content of a file that a person named.

    Raises:
        ConfigError: it cannot be read, or is larger than any configuration.
    """
    if "\n" in name or "\0" in name or looks_secret(name):
        hint = (
            "a DSN alone is no configuration: pass {'writer': dsn}"
            if "://" in name
            else "pass a path, a mapping or a RouterConfig"
        )
        _refuse(None, f"the source is not the path of a file; {hint}")
    try:
        with open(name, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        _refuse(name, "there is no such file")
    except IsADirectoryError:
        _refuse(name, "is a directory, not a file")
    except OSError as error:
        _refuse(name, f"cannot be read: {error.strerror or type(error).__name__}")
    if len(data) > MAX_BYTES:
        _refuse(name, f"is larger than {MAX_BYTES // 2**20} MiB; this is no configuration")
    return data


_LIBCONFIG = re.compile(r"^\s*(?:mysql|pgsql|admin)_(?:servers|users|query_rules|variables|credentials)\s*=", re.MULTILINE)
_IMPORT = "'dbrouter import proxysql FILE' writes the configuration it stands for"


def read_text(text: str, file: str | None = None) -> Document:
    """
    The document in a text; *file* is what messages call it.

    Raises:
        ConfigError: it is no YAML, has duplicate keys, or is empty.
    """
    if text.startswith("SQLite format 3\0"):
        _refuse(file, f"is a SQLite database, not YAML; {_IMPORT}")
    if "\0" in text:
        _refuse(file, "is not text (it has NUL bytes)", line=text.count("\n", 0, text.index("\0")) + 1)
    folded = fold(text)
    if folded.runs and (document := _read_folded(folded, file, len(text))) is not None:
        return document
    yaml = YAML(typ="safe", pure=True)
    try:
        node = _compose(yaml, text)
    except MarkedYAMLError as error:
        if _LIBCONFIG.search(text):
            _refuse(file, f"is no YAML but looks like a proxysql.cnf; {_IMPORT}")
        mark = error.problem_mark or error.context_mark
        _refuse(file, f"is not YAML: {_words(error)}", line=mark.line + 1 if mark else None)
    except (YAMLError, ValueError, RecursionError) as error:
        _refuse(file, f"is not YAML: {_reader_words(error)}")
    if node is None:
        _refuse(file, "is empty")
    if not isinstance(node, MappingNode) and _LIBCONFIG.search(text):
        _refuse(file, f"is no YAML but looks like a proxysql.cnf; {_IMPORT}")
    builder = _Builder(yaml, file, len(text))
    return builder.finished(builder.value(node))


def _compose(yaml: YAML, text: str) -> Node | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a re-used anchor is legal; what it means is checked like everything else
        node: Node | None = yaml.compose(text)
    return node


def _read_folded(folded: Folded, file: str | None, size: int) -> Document | None:
    """The document of which *folded* is the text, or None where the text must be read as it is."""
    yaml = YAML(typ="safe", pure=True)
    try:
        node = _compose(yaml, folded.text)
    except (YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(node, MappingNode):
        return None
    builder = _Builder(yaml, file, size, folded.runs)
    value = builder.value(node)
    return builder.finished(value) if builder.found == folded.runs.keys() else None


def from_mapping(mapping: Mapping[str, Any]) -> Document:
    """A mapping made in Python, copied so that nothing the caller holds is ever changed."""
    return Document(_copy(mapping, 0))


def _copy(value: Any, depth: int) -> Any:
    if depth > 50:
        _refuse(None, "is nested too deeply")
    if isinstance(value, Mapping):
        return {_key(key): _copy(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item, depth + 1) for item in value]
    return value


def _key(key: object) -> str:
    return str(key) if isinstance(key, (str, int)) else f"<{type(key).__name__}>"


class _Builder:
    """Builds values from nodes; aliases are expanded, but not without end."""

    def __init__(self, yaml: YAML, file: str | None, size: int, runs: Mapping[str, list[dict[str, Any]]] | None = None) -> None:
        self._constructor: Any = yaml.constructor
        self._document = Document(None, file)
        self._problems = Problems(file, self._document.lines)
        self._open: set[int] = set()
        self._count = 0
        self._limit = MAX_VALUES + size
        self._runs = {} if runs is None else runs
        self.found: set[str] = set()
        """The marks that stood where rows may stand."""

    def value(self, node: Node) -> Any:
        """What the document holds; what is wrong with it is said by `finished`."""
        return self._value(node, (), node.start_mark.line + 1)

    def finished(self, value: Any) -> Document:
        """
        The document that holds *value*.

        Raises:
            ConfigError: something was wrong with it.
        """
        self._document.value = value
        self._problems.raise_if_any()
        return self._document

    def _value(self, node: Node, path: Path, line: int) -> Any:
        self._counted(1, line)
        if id(node) in self._open:
            self._problems.add(path, "an alias contains itself")
            return None
        if len(path) > 50:
            self._problems.add(path[:5], "is nested too deeply")
            return None
        self._document.lines.setdefault(path, line)
        self._open.add(id(node))
        try:
            match node:
                case ScalarNode():
                    return self._scalar(node, path)
                case SequenceNode():
                    return self._sequence(node, path)
                case MappingNode():
                    return self._mapping(node, path)
                case _:
                    self._problems.add(path, "is nothing that a configuration can hold")
                    return None
        finally:
            self._open.discard(id(node))

    def _counted(self, values: int, line: int) -> None:
        self._count += values
        if self._count > self._limit:
            _refuse(self._document.file, f"has more than {self._limit} values (aliases expanded)", line=line)

    def _sequence(self, node: SequenceNode, path: Path) -> list[Any]:
        built: list[Any] = []
        for item in node.value:
            line = item.start_mark.line + 1
            if isinstance(item, ScalarNode) and item.value in self._runs:
                self.found.add(item.value)
                built += self._rows(self._runs[item.value], path, len(built), line)
            else:
                built.append(self._value(item, (*path, len(built)), line))
        return built

    def _rows(self, rows: list[dict[str, Any]], path: Path, first: int, line: int) -> Iterator[dict[str, Any]]:
        lines = self._document.lines
        for offset, row in enumerate(rows):
            self._counted(1 + len(row), line + offset)
            where = (*path, first + offset)
            lines.setdefault(where, line + offset)
            for key in row:
                lines.setdefault((*where, key), line + offset)
            yield dict(row)

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        if node.tag in _PLAIN_TAGS:
            try:
                return self._constructor.construct_object(node)
            except (YAMLError, ValueError):
                return node.value
        if str(node.tag) not in _TEXT_TAGS:
            self._problems.add(path, "has a YAML tag (!…); text beginning with ! belongs in quotes")
        return node.value

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        merged: list[Any] = []
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self._problems.add(path, f"line {line}: a key is not a name")
                continue
            if key_node.tag == _TAG + "merge":
                sources = value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                merged += [self._value(source, path, line) for source in sources]
                continue
            key = str(key_node.value)
            where = (*path, key)
            if key in first:
                shown = show_path(path if looks_secret(key) else where)
                self._problems.add(
                    where if not looks_secret(key) else path, f"{shown} is given twice, in lines {first[key]} and {line}"
                )
                continue
            first[key] = line
            self._document.lines[where] = line
            built[key] = self._value(value_node, where, line)
        for mapping in merged:
            if not isinstance(mapping, dict):
                self._problems.add(path, "<< merges something that is not a mapping")
                continue
            for key, value in mapping.items():
                built.setdefault(key, value)
        return built


def _words(error: MarkedYAMLError) -> str:
    """What the parser says, without anything it quotes from the text."""
    said = str(error.problem or error.context or "it cannot be parsed")
    if "alias" in said:
        return "an alias (*…) that no anchor defines; text beginning with * belongs in quotes"
    if "tag" in said or "directive" in said:
        return "a tag or directive (!… or %…) it does not know; text beginning so belongs in quotes"
    if "single document" in said or "another document" in said:
        return "more than one document (---) in it"
    return said.split("\n")[0]


def _reader_words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    position = getattr(error, "position", None)
    return f"a control character at position {position}" if position is not None else "it cannot be parsed"


def _refuse(file: str | None, message: str, line: int | None = None) -> NoReturn:
    problems = Problems(file, {(): line} if line is not None else None)
    problems.add((), message)
    raise ConfigError(list(problems)) from None
