"""`python -m ggn`: the command line."""

from __future__ import annotations

if __name__ == "__main__":
    try:
        from ggn.command.cli import main

        raise SystemExit(main())
    except KeyboardInterrupt:  # while still importing, or already leaving
        raise SystemExit(130) from None
