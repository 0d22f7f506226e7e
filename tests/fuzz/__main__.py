"""The command: python -m fuzz KIND --count N --seed S."""

from __future__ import annotations

import argparse
import importlib
import sys

from fuzz import watch

KINDS = ("models", "tables", "importers", "doors", "interrupts", "kills")


def main() -> int:
    """Run the cases of a kind; return 1 if any was a fault."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", type=int, help="run this case here, and let its exception out")
    args = parser.parse_args()
    module = importlib.import_module(f"fuzz.{args.kind}")
    if args.only is not None:
        print(watch.one(module.case, args.seed, args.only))
        return 0
    counts = watch.campaign(module.case, args.count, args.seed, args.first)
    print(args.kind, dict(sorted(counts.items())), flush=True)
    return int(counts["FAULTS"] > 0)


if __name__ == "__main__":
    sys.exit(main())
