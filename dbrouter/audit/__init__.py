"""
Auditing a workload: query logs and the servers' own statistics → which share replicas could take, and what holds the rest.

`formats` finds out what a source is and reads it, `servers` asks a live server, `workload` adds up by digest.
"""
