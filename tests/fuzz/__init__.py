"""Coverage-guided fuzzing of `dbrouter.sql`: `make fuzz`; what it must hold is in `invariants`."""
