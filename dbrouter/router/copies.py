"""
CopyRecovery: what to do about trouble with a mirrored statement – the same as with any other, but in its hostgroup alone.

Elsewhere a copy is no copy any more: on the primary it would do again what the original has done there, and bring the load of the
mirror to those who must serve. So it is not sent to the primary where its hostgroup has no servers, nor where one refuses it as
read-only, nor to what took the place of a hostgroup that a reload removed.
"""

from __future__ import annotations

from dbrouter.cluster.hostgroup import Hostgroup
from dbrouter.cluster.node import Member
from dbrouter.errors import NoNodeAvailableError
from dbrouter.pool.lease import Lease
from dbrouter.resilience.breaker import Permit
from dbrouter.router.recovery import Recovery


class CopyRecovery(Recovery):
    """
    The trouble of one mirrored statement.

    Each way raises `NoNodeAvailableError`, and nothing is sent, where the call would go on in another hostgroup.
    """

    __slots__ = ()

    async def after_send(
        self, error: BaseException, group: Hostgroup, member: Member, lease: Lease, permit: Permit | None, sent_at: float
    ) -> Hostgroup:
        """As `Recovery.after_send`."""
        return self._same(group, await super().after_send(error, group, member, lease, permit, sent_at))

    async def after_acquire(self, error: Exception, group: Hostgroup, member: Member, permit: Permit | None) -> Hostgroup:
        """As `Recovery.after_acquire`."""
        return self._same(group, await super().after_acquire(error, group, member, permit))

    async def nobody(self, group: Hostgroup) -> Hostgroup:
        """As `Recovery.nobody`."""
        return self._same(group, await super().nobody(group))

    def _same(self, group: Hostgroup, found: Hostgroup) -> Hostgroup:
        if found is group:
            return group
        raise NoNodeAvailableError(
            f"hostgroup '{group.name}' does not take the copy of a statement, and it is sent to no other one",
            hostgroup=group.name,
            refusals=(),
        ) from self.first
