"""One order of arguments for every public function: data, loss, then options by keyword."""

import inspect
import re

import numpy as np
import pytest

import ggn

DATA = ["net", "w", "X", "Y"]
PARTITIONS = ["A_blocks", "B_blocks"]  # data too: how matrices are divided, if they are
WITH_X = ["Y"]  # left out where X is chunks, which have their targets
# A function takes those that it has in this order; its own, of any name, come after them.
OPTIONS = [
    "w0",
    "step",
    "damping",
    "rng",
    "max_iter",
    "tol",
    "l2",
    "sample_weight",
    "callback",
    "loss_target",
    "max_seconds",
    "max_memory",
    "escape_saddles",
]
EVERYWHERE = {  # what a function that trains has; J of one stage means nothing to the next
    "train": set(OPTIONS),
    "train_restarts": {"rng"},
    "train_bayesian": set(OPTIONS) - {"l2", "loss_target", "escape_saddles"},
    "train_robust": set(OPTIONS) - {"loss_target", "escape_saddles"},
}
FUNCTIONS = {
    f"{face.__name__}.{name}": getattr(face, name)
    for face in (ggn, ggn.surface)
    for name in face.__all__
    if inspect.isfunction(getattr(face, name))
}


def breaches(function):
    """Return what is against the order, a sentence each."""
    parameters = inspect.signature(function).parameters
    kinds = {name: p.kind for name, p in parameters.items()}
    first = [n for n, kind in kinds.items() if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    given = [n for n in first if n != "loss"]
    found = []
    if "loss" in kinds and first[-1:] != ["loss"]:
        found.append("loss is not the last that may be given by place")
    found += [
        f"{n} has a default, and may be given by place"
        for n in given
        if n not in PARTITIONS + WITH_X and parameters[n].default is not inspect.Parameter.empty
    ]
    found += [f"{n} is data" for n in DATA if n in kinds and n not in given]
    if [n for n in given if n in DATA] != [n for n in DATA if n in given]:
        found.append(f"data come as {given}")
    options = [n for n, kind in kinds.items() if kind is inspect.Parameter.KEYWORD_ONLY]
    common = [n for n in OPTIONS if n in options]
    if options[: len(common)] != common:
        found.append(f"options come as {options}, not as {common} first")
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_come_in_the_one_order(name):
    assert breaches(FUNCTIONS[name]) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda net, X, Y, l2=0.0: None, "l2 has a default"),
        (lambda net, X, Y, loss="squared", l2=0.0: None, "loss is not the last"),
        (lambda net, X, Y, *, loss="squared": None, "loss is not the last"),
        (lambda net, X, w, Y: None, "data come as"),
        (lambda net, X, *, Y=None: None, "Y is data"),
        (lambda net, X, Y, *, l2=0.0, rng=0: None, "options come as"),
        (lambda net, X, Y, *, n_starts=1, rng=0: None, "options come as"),
    ],
)
def test_another_order_is_seen(wrong, said):
    assert any(sentence.startswith(said) for sentence in breaches(wrong))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_documented(name):
    text = inspect.getdoc(FUNCTIONS[name])
    section = text.split("Parameters\n----------\n")[1] if "Parameters\n---" in text else ""
    section = re.split(r"\n\w+\n-{3,}\n", section)[0]
    heads = re.findall(r"^(\*{0,2}\w.*?)(?: : .*)?$", section, re.MULTILINE)
    said = {name.strip("* ") for head in heads for name in head.split(",")}
    assert said >= set(inspect.signature(FUNCTIONS[name]).parameters)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_every_way_to_train_takes_the_same_options(name):
    parameters = inspect.signature(getattr(ggn, name)).parameters
    assert set(parameters) & set(OPTIONS) == EVERYWHERE[name]
    assert ("options" in parameters) == (name == "train_restarts")


@pytest.mark.parametrize("max_memory", [0, 0.0, -1, np.nan, np.inf, "all"])
def test_memory_is_bytes_above_zero_everywhere(max_memory):
    net, X, Y = ggn.MLP((1, 2, 1)), [[0.0], [1.0]], [0.0, 1.0]
    values = {"net": net, "w": np.ones(net.n_weights), "X": X, "Y": Y, "T": 2}
    taken = [f for f in FUNCTIONS.values() if "max_memory" in inspect.signature(f).parameters]
    assert len({f.__name__ for f in taken}) >= 5
    for function in taken:
        given = {n: v for n, v in values.items() if n in inspect.signature(function).parameters}
        with pytest.raises(ValueError, match=r"^max_memory must be a number"):
            function(**given, max_memory=max_memory)
