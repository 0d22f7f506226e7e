"""Random networks in a loop against the oracle: derivatives by complex step, and sums of them.

python tests/loops_campaign.py [--runs 500] [--seed 1000]
"""

import argparse

import numpy as np
import test_loop_objective
import test_recursion

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1000)
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.runs)
    with np.errstate(all="ignore"):
        found = [test_recursion.check(seed) for seed in seeds]
        counted = [error for error, counts in found if counts]
        print(f"{len(counted)} of {len(found)} loops that do not run away: outputs and derivatives "
              f"to {max(counted):.2g} at worst")  # fmt: skip
        some = seeds[::5]
        worst = max(max(test_loop_objective.errors(seed)) for seed in some)
        print(f"{len(some)} objectives: J, gradient, GGN matrix, products to {worst:.2g} at worst")
