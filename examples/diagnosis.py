"""A diagnosis that leads to a fix.

The output unit is a tanh, whose values lie in (-1, 1); some targets do not.  Training
stops at a loss that no iteration will lower, and the diagnosis says why.
"""

import numpy as np

import ggn

x = np.linspace(-1.0, 1.0, 30)[:, np.newaxis]
y = 1.2 * np.sin(2.0 * x)

net = ggn.MLP((1, 6, 1), "tanh", output_activation="tanh")
fit = ggn.train(net, x, y, max_iter=500)
found = ggn.diagnose(net, fit.w, x, y)
print(found, "\n")

assert found.verdict.name == "INFEASIBLE"
assert 0.99 * fit.fun < found.lower_bound <= fit.fun  # as good as it gets, with this output
assert found.suggestion.remedy is ggn.surface.ObstructionKind.RANGE

better = ggn.MLP((1, 6, 1), "tanh", output_activation="identity")
fixed = ggn.train(better, x, y, max_iter=500)
print(f"With a linear output J falls from {fit.fun:.2g} to {fixed.fun:.2g}.")
assert fixed.fun < 1e-10
