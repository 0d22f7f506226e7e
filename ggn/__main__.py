"""`python -m ggn`: the command line."""

from __future__ import annotations

from ggn.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
