"""
Topology: one immutable snapshot of what the monitor knows of every node, published whole.

The monitor is its only writer; hostgroups and reports read it. Picking a node never waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dbrouter.terms import Role, ShunReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Shun:
    """Why a node is out of use, and since when (loop time)."""

    reason: ShunReason
    since: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """What the last probes said of one node."""

    role: Role = Role.UNKNOWN
    shun: Shun | None = None
    probed_at: float | None = None
    """Loop time of the last completed probe, None before the first."""
    server_version: str = ""
    identity: str = ""
    lag: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Every node's state at one moment; *generation* grows by one with each publication."""

    generation: int = 0
    nodes: Mapping[str, NodeState] = field(default_factory=dict)
    """By `Node.key`: two databases may name the same server."""

    def with_node(self, node: str, state: NodeState) -> Topology:
        """A new topology in which *node* is *state*."""
        return Topology(generation=self.generation + 1, nodes={**self.nodes, node: state})
