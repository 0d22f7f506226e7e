"""The functions of a C file that say what the outputs of a classifier mean.

labels          const char *const ggn_model_classes[]
probabilities   exp(y_k - max y) / Σ, or 1 / (1 + exp(-y)), which overflow nowhere that counts
likeliest       the place of the first of the largest
"""

from __future__ import annotations

from ggn.io.classes import Classes

__all__ = ["class_functions"]

SOFTMAX = """\
    double top = y[0], sum = 0.0;
    for (int k = 1; k < {K}; k++)
        if (y[k] > top) top = y[k];
    for (int k = 0; k < {K}; k++)
        sum += p[k] = exp(y[k] - top);
    for (int k = 0; k < {K}; k++)
        p[k] /= sum;"""
LOGISTIC = """\
    p[0] = 1.0 / (1.0 + exp(y[0]));
    p[1] = 1.0 / (1.0 + exp(-y[0]));"""
SEVERAL = """\
    for (int k = 0; k < {K}; k++)
        p[k] = 1.0 / (1.0 + exp(-y[k]));"""
LARGEST = """\
    int best = 0;
    for (int k = 1; k < {K}; k++)
        if (y[k] > y[best]) best = k;
    return best;"""


def class_functions(classes: Classes, n_outputs: int, prefix: str) -> list[str]:
    """Return the definitions, which call the function that predicts.

    Examples
    --------
    >>> print(class_functions(Classes(["no", "yes"], "logistic"), 1, "ggn_model")[0])
    const char *const ggn_model_classes[2] = {
        "no", "yes"
    };
    <BLANKLINE>
    """
    K = len(classes.labels)
    rows = [classes.labels[i : i + 4] for i in range(0, K, 4)]
    listed = ",\n    ".join(", ".join(map(quoted, row)) for row in rows)
    parts = [f"const char *const {prefix}_classes[{K}] = {{\n    {listed}\n}};\n"]
    call = f"    double y[{n_outputs}];\n    {prefix}_predict(x, y);\n"
    if classes.link != "identity":
        body = SOFTMAX if classes.link == "softmax" else SEVERAL if classes.several else LOGISTIC
        parts.append(
            f"void {prefix}_probabilities(const double *x, double *p)\n{{\n{call}"
            f"{body.format(K=K)}\n}}\n"
        )
    if not classes.several:
        middle = 0.5 if classes.link == "identity" else 0.0
        body = LARGEST.format(K=K) if n_outputs > 1 else f"    return y[0] > {middle!r};"
        parts.append(f"int {prefix}_class(const double *x)\n{{\n{call}{body}\n}}\n")
    return parts


def quoted(label: object) -> str:
    r"""Return a label as a string of C, in UTF-8.

    Examples
    --------
    >>> print(quoted('a "b"'), quoted("größe"), quoted("??="))
    "a \"b\"" "gr\303\266\303\237e" "\?\?="
    """
    return '"' + "".join(map(_character, str(label).encode())) + '"'


def _character(byte: int) -> str:
    """Return a byte of a string: three octal digits end an escape, whatever follows."""
    if chr(byte) in '"\\?':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
