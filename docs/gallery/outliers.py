"""A tenth of the targets are wrong: squared loss follows them, a robust one does not."""

import matplotlib.pyplot as plt
import numpy as np

import ggn

rng = np.random.default_rng(0)
x = np.linspace(-2, 2, 120)[:, np.newaxis]
clean = np.exp(-(x**2)) * np.cos(4 * x)
y = clean + 0.02 * rng.standard_normal(x.shape)
wrong = rng.choice(120, 12, replace=False)
y[wrong] += rng.uniform(1.0, 3.0, (12, 1))

net, mild = ggn.MLP((1, 6, 1)), {"l2": 1e-4}
squared, robust = ggn.train(net, x, y, **mild), ggn.train_robust(net, x, y, **mild)

figure, ax = plt.subplots(layout="constrained")
ax.plot(x, y, ".", color="0.6", label="samples")
ax.plot(x, clean, lw=4, alpha=0.4, label="what was measured")
ax.plot(x, squared.predict(x), ":", label="squared loss")
ax.plot(x, robust.predict(x), "k--", lw=1, label="train_robust")
ax.set(xlabel="x", ylabel="y")
ax.legend(loc="upper right")
