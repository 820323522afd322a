"""``python -m dbrouter`` is the command ``dbrouter``."""

from __future__ import annotations

from dbrouter.cli.__main__ import main

if __name__ == "__main__":
    main()
