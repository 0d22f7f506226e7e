"""Settings shared by all tests."""

import os

import numpy as np
import pytest
import strategies
from commands import heard
from hypothesis import HealthCheck, settings

# Workers of clusters, of documentation too, do not watch themselves a hundred times a second.
os.environ.setdefault("DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED", "False")
os.environ.setdefault("DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL", "10s")

settings.register_profile(
    "ggn",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ggn")

LEFT = {}  # the states in which imports of test modules left their generators


@pytest.fixture
def rng():
    """One stream per test, the same at every run."""
    return np.random.default_rng(20180619)


@pytest.fixture
def ctrl_c():
    """SIGINT is Ctrl-C as in a terminal, also where whoever started the tests ignores it."""
    with heard():
        yield


@pytest.fixture(autouse=True)
def module_generators(request):
    """Set the generators of a module to where its import left them: tests may run in any order."""
    for name, value in vars(getattr(request, "module", None) or object).items():
        if isinstance(value, np.random.Generator):
            key = request.module.__name__, name
            value.bit_generator.state = LEFT.setdefault(key, value.bit_generator.state)


@pytest.fixture
def record_property(record_property):
    """Keep plain numbers of Python: NumPy's cannot be sent by a worker of pytest-xdist."""

    def record(name, value):
        record_property(name, np.asarray(value).tolist())

    return record


def pytest_terminal_summary(terminalreporter, config):
    """Say, with -v, how far each comparison was from its tolerance."""
    if config.get_verbosity() > 0 and strategies.WORST:
        terminalreporter.section("largest relative error of each test")
        for name, error in sorted(strategies.WORST.items()):
            terminalreporter.write_line(f"{error:9.2e}  {name}")
