"""Nodes, hostgroups and the topology: who may serve a call, and who is chosen."""
