"""
Survey: as much of a configuration as can be read, with all that is wrong with it and the places of its pieces.

For tools that have something to say of a file that does not load, or want to name its lines where it does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from dbrouter.config.checks import Draft
from dbrouter.config.load import build_draft
from dbrouter.config.model import RouterConfig
from dbrouter.config.problems import Problems
from dbrouter.config.source import read_file
from dbrouter.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Survey:
    """
    What there is in a file.

    Attributes:
        config: the checked configuration, or None where it does not load.
        draft: the pieces that could be read; empty where the file is no YAML.
        problems: why it does not load; those of the file of `shadow_rules` too.
        places: tells how messages call the path of a piece of the draft, and its line.
        shadow: the same of the rules of `shadow_rules`, as if they stood in this file; None where they cannot be read.
    """

    config: RouterConfig | None
    draft: Draft
    problems: tuple[Problem, ...]
    places: Problems
    shadow: Survey | None = None


def survey(file: str | FilePath, *, environ: Mapping[str, str] | None = None) -> Survey:
    """
    Whatever can be read of the configuration in *file*; never raises for what it holds.

    Args:
        environ: where ``${VAR}`` is looked up; the process environment where it is None.
    """
    draft, places = Draft(), Problems(os.fspath(file))
    try:
        document = read_file(file)
        places = Problems(document.file, document.lines)
        config = build_draft(document, places, draft, os.environ if environ is None else environ)
    except ConfigError as error:
        return Survey(None, draft, tuple(error.problems), places, _shadow(draft))
    return Survey(config, draft, (), places, _shadow(draft))


def _shadow(draft: Draft) -> Survey | None:
    if draft.shadow is None:
        return None
    rules, places = draft.shadow
    return Survey(None, rules, tuple(places), places)
