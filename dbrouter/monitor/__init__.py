"""The only publisher of a topology: liveness and role probes on connections of their own."""
