"""When to stop asking a node, when to ask again, and how often: decisions without I/O, `now` and `rng` handed in."""
