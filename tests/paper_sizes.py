"""How small the paper's experiments are made for the tests."""

SMALL = {
    "xor": {"starts": 30, "followed": 6},
    "fig1a": {"runs": 6},
    "fig1b": {"runs": 12},
    "fig1c": {"runs": 2, "iterations": 40, "draws": 1, "bp_iterations": 400},
    "baselines": {"runs": 1, "iterations": 3},
}
# several pieces of each, but no more: where only what becomes of results is tested
TINY = {
    "xor": {"starts": 6, "followed": 2},
    "fig1a": {"runs": 6},
    "fig1b": {"runs": 3},
    "fig1c": {"runs": 2, "iterations": 10, "draws": 1, "bp_iterations": 50},
    "baselines": {"runs": 1, "iterations": 3},
}
