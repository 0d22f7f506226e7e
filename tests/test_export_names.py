"""Models in C by any name: C's own words, macros and functions, and names of other models."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess

import numpy as np
import pytest
from test_narx import LAGS, system

import ggn
from ggn.export import to_c
from ggn.fit.fitted import as_model
from ggn.io.laplace import Laplace

# Keywords of C99, C11, C23, C++ and of gcc; macros and functions of the headers below, of POSIX, of
# Windows' headers and of compilers; what the text itself calls its own; names that C keeps.
NAMES = """
int double const static restrict inline if return void register typedef volatile sizeof
_Bool _Complex _Imaginary _Alignas _Static_assert _Generic alignas bool true nullptr typeof
asm class new this template namespace catch operator and xor not_eq __asm__ __attribute__
sin pow exp expm1 log1p fabs tanh erfc sqrt atan gamma y0 y1 j0 jn isnan isinf signbit fpclassify
NAN INFINITY HUGE_VAL FP_NAN M_PI I complex imaginary math_errhandling signgam
printf stdin stdout EOF NULL BUFSIZ errno EDOM malloc abort exit RAND_MAX strlen memcpy
INT_MAX DBL_EPSILON SIGINT time clock assert offsetof va_arg setjmp
main environ unix linux near far min max small interface small_ DOMAIN OVERFLOW
x y z p u i j k a t v0 v1 top sum best samples inputs outputs W1 b1 predict model ggn ggn_model
_ __ _W1 _predict xmean __LINE__ __FILE__ __func__ __VA_ARGS__ defined a_tanh a_bent a_bent_identity
a_x a_x_mean a_W1 a_class a_predict a_spread w r s f m e1 d1 row root noise deviation spread
"""

HEADERS = """
assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdarg
stdbool stddef stdio stdlib string tgmath time unistd
"""
WINDOWS = "#define near\n#define far\n#define small char\n#define interface struct"

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
COMPILERS = {
    "gcc": ["-std=c99", "-std=gnu17"],
    "clang": ["-std=c99", "-std=gnu17"],
    "g++": ["-std=gnu++17"],
    "clang++": ["-std=gnu++17"],
}


def models():
    """Return one of each kind that has other functions, activations and units."""
    net = ggn.MLP((2, 3, 3), "bent_identity", "softplus")
    units = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0, 7.0], [8.0, 9.0, 10.0]]
    labels = ["a", "b", "c"]
    plain = ggn.Model(net, net.initial_weights(0), None, None, *units)
    chosen = ggn.Model(net, net.initial_weights(1), loss="softmax_cross_entropy", classes=labels)
    leaky = [ggn.activations.LeakyReLU(0.1), ggn.activations.LeakyReLU(0.2)]
    two = ggn.MLP((2, 3, 3, 1), leaky, "identity")
    logistic = ggn.Model(two, two.initial_weights(2), loss="logistic", classes=labels[:2])
    for model in (plain, logistic):
        model.posterior = Laplace(np.eye(model.net.n_weights), 0.1, 1.0)
    series = ggn.narx(*system(40), hidden=2, max_iter=1, **LAGS)
    return [plain, chosen, logistic, series]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """All names in one file, behind every header, each by the next kind of model."""
    source = tmp_path_factory.mktemp("names") / "m.c"
    headers = "\n".join(f"#include <{name}.h>" for name in HEADERS.split())
    kinds = models()
    chosen = {name: kinds[place % len(kinds)] for place, name in enumerate(NAMES.split())}
    texts = [to_c(model, name) for name, model in chosen.items()]
    source.write_text("\n".join([headers, WINDOWS, *texts]), encoding="ascii")
    return source, chosen


@pytest.mark.parametrize("compiler", COMPILERS)
def test_no_name_is_one_of_the_compilers_or_of_another_model(compiler, program):
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    source, chosen = program
    assert len(chosen) == len(NAMES.split()) > 140
    as_cpp = compiler.endswith("++")
    for standard in COMPILERS[compiler]:
        language = ["-x", "c++"] if as_cpp else []
        command = [compiler, standard, *STRICT, *language, "-fsyntax-only", source]
        subprocess.run(command, check=True)


def test_each_name_is_found_and_is_its_model(program, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    source, chosen = program
    command = [compiler, "-std=c99", "-shared", "-fPIC", source, "-o", tmp_path / "m.so", "-lm"]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(tmp_path / "m.so"))
    array = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
    for name, fit in chosen.items():
        model = as_model(fit)
        function = library[f"ggn_{name}_predict"]
        function.argtypes, function.restype = [array, array], None
        x = np.linspace(-1.0, 1.0, model.net.n_inputs)
        y = np.full(model.net.n_outputs, np.nan)
        function(x, y)
        np.testing.assert_allclose(y, model.predict(x[np.newaxis])[0], rtol=1e-12)


def test_every_name_of_a_file_begins_with_its_prefix():
    """And has no underscore behind it, which would let two models share one."""
    for model in models():
        text = to_c(model, "some_name")
        outside = re.findall(r"^(?:static )?(?:const )?\w+ (?:\*const )?(\w+)[\[(]", text, re.M)
        assert outside
        for name in outside:
            assert re.fullmatch("ggn_some_name_[A-Za-z0-9]+", name)
