"""How small the paper's experiments are made for the tests."""

SMALL = {
    "xor": {"starts": 30, "followed": 6},
    "fig1a": {"runs": 6},
    "fig1b": {"runs": 12},
    "fig1c": {"runs": 2, "iterations": 40, "draws": 1, "bp_iterations": 400},
    "baselines": {"runs": 1, "iterations": 3},
}
