"""Why second order: the same network from the same weights, by two steps."""

import matplotlib.pyplot as plt
import numpy as np

import ggn

x = np.linspace(-1, 1, 60)[:, np.newaxis]
y = np.sin(4 * x) * np.exp(-x)
net = ggn.MLP((1, 8, 1))
w0 = net.initial_weights(rng=1)

figure, ax = plt.subplots(layout="constrained")
for step, line in (("primal", "-"), ("diagonal", "--"), ("gradient", ":")):
    fit = ggn.train(net, x, y, w0=w0, step=step, max_iter=300, tol=0.0)
    ax.semilogy(fit.history.loss, line, label=step)
ax.set(xlabel="iteration", ylabel="mean squared error", xlim=(0, 300))
ax.legend(title="step")
