"""Foreign parsers as second opinions on what a statement does; they share nothing with `dbrouter.sql`."""
