"""dbrouter: reads to healthy replicas, everything else to the primary, for PostgreSQL and MySQL."""

__version__ = "0.1.0"
