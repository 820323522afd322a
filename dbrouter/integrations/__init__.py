"""Around the router: logs, metrics, health endpoints."""
