"""The paper's four regions, and the probability of the likeliest class."""

import matplotlib.pyplot as plt
import numpy as np

import ggn

X, Y = ggn.problems.four_regions(400, rng=0)
classes = Y.argmax(axis=1) if Y.shape[1] > 1 else Y[:, 0]
targets = np.eye(4)[np.unique(classes, return_inverse=True)[1]]
net = ggn.MLP((2, 20, 4), "tanh")
fit = ggn.train(net, X, targets, "softmax_cross_entropy", l2=1e-5, max_iter=200)

grid = np.stack(np.meshgrid(*[np.linspace(-4, 4, 160)] * 2), axis=-1)
outputs = net.forward(fit.w, grid.reshape(-1, 2))
p = np.exp(outputs - outputs.max(axis=1, keepdims=True))
p /= p.sum(axis=1, keepdims=True)

figure, ax = plt.subplots(figsize=(5.6, 5.0), layout="constrained")
shown = p.argmax(axis=1).reshape(160, 160)
ax.imshow(shown, origin="lower", extent=(-4, 4, -4, 4), cmap="Pastel1", alpha=0.9)
ax.contour(*np.moveaxis(grid, -1, 0), p.max(axis=1).reshape(160, 160), [0.6, 0.9], colors="0.4",
           linewidths=0.6)  # fmt: skip
for k, mark in enumerate("o^sx"):
    inside = targets[:, k] > 0
    ax.plot(*X[inside].T, mark, ms=3, color=f"C{k}", label=f"class {k + 1}")
ax.set(xlabel="x₁", ylabel="x₂")
ax.legend(fontsize="small", loc="upper right")
