"""The language in which an activation says its σ(z) to other programs, and its translation to C.

    t = max(min(z, 1e18), -1e18); z + 0.5 * z * (t / (sqrt(t * t + 1) + 1))

Python's arithmetic, numbers, z, names given before, and the functions exp, expm1, log1p,
sqrt, abs, max, min, tanh, sigmoid, atan, sin, sign and normal_cdf.  A target says how it
writes a number, an operation and a name; `translate` puts the expression together of these.
"""

from __future__ import annotations

import ast
from typing import Protocol

__all__ = ["C", "Target", "translate"]

SYMBOLS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


class Target(Protocol):
    """A language, or a graph, that expressions are written in."""

    def number(self, value: float) -> str:
        """Return a constant."""

    def operation(self, kind: str, *operands: str) -> str:
        """Return an operation: + - * / neg, or a function by its name."""

    def name(self, name: str, value: str) -> str:
        """Give a value a name; return what stands for it from then on."""


def translate(expression: str, target: Target, **names: str) -> str:
    """Return what stands for the value of an expression in a target; names has z's."""
    *assigned, last = ast.parse(expression).body

    def write(node: ast.expr) -> str:
        match node:
            case ast.Constant(value=float() | int() as value):
                return target.number(float(value))
            case ast.Name(id=name):
                return names[name]
            case ast.BinOp(left=left, op=op, right=right):
                return target.operation(SYMBOLS[type(op)], write(left), write(right))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=float() | int() as value)):
                return target.number(-float(value))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return target.operation("neg", write(operand))
            case ast.Call(func=ast.Name(id=function), args=arguments):
                return target.operation(function, *map(write, arguments))
        raise TypeError(f"no expression of an activation: {ast.unparse(node)}")

    for statement in assigned:
        assert isinstance(statement, ast.Assign)
        (variable,) = statement.targets
        assert isinstance(variable, ast.Name)
        names[variable.id] = target.name(variable.id, write(statement.value))
    assert isinstance(last, ast.Expr)
    return write(last.value)


class C:
    """C99 with math.h; what has a name is a local variable, kept in `lines`."""

    # max and min of NaN, their first argument, are NaN, unlike fmax's and fmin's
    TEMPLATES = {  # noqa: RUF012
        "neg": "(-{0})",
        "abs": "fabs({0})",
        "max": "({0} < {1} ? {1} : {0})",
        "min": "({1} < {0} ? {1} : {0})",
        "sign": "(({0} > 0.0) - ({0} < 0.0))",
        "sigmoid": "(1.0 / (1.0 + exp(-{0})))",
        "normal_cdf": "(0.5 * erfc(-0.70710678118654752 * {0}))",
    }

    def __init__(self) -> None:
        self.lines: list[str] = []

    def number(self, value: float) -> str:
        return repr(value)

    def operation(self, kind: str, *operands: str) -> str:
        if kind in SYMBOLS.values():
            return f"({operands[0]} {kind} {operands[1]})"
        template = self.TEMPLATES.get(kind)
        if template is None:
            return f"{kind}({', '.join(map(_bare, operands))})"
        return template.format(*map(_bare, operands) if template.startswith("fabs") else operands)

    def name(self, name: str, value: str) -> str:
        self.lines.append(f"double {name} = {_bare(value)};")
        return name

    @classmethod
    def function(cls, expression: str, **names: str) -> tuple[list[str], str]:
        """Return the lines before, and the value, of an expression of z."""
        here = cls()
        value = _bare(translate(expression, here, z="z", **names))
        return here.lines, value


def _bare(text: str) -> str:
    """Return a C expression without parentheses around the whole."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and place < len(text) - 1:
            return text
    return text[1:-1] if text.startswith("(") else text
