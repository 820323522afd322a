"""The router itself: planning, the attempt loop, transactions, reports."""
