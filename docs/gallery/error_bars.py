"""Error bars that grow where samples are missing."""

import matplotlib.pyplot as plt
import numpy as np

import ggn

rng = np.random.default_rng(3)
x = np.sort(np.concatenate([rng.uniform(-3, -0.5, 40), rng.uniform(1.0, 3.0, 40)]))[:, np.newaxis]
y = np.sin(2 * x) + 0.15 * rng.standard_normal(x.shape)

fit = ggn.train_bayesian(ggn.MLP((1, 10, 1)), x, y)
dense = np.linspace(-3.0, 3.0, 400)[:, np.newaxis]
mean, deviation = fit.predict(dense, return_std=True)

figure, ax = plt.subplots(layout="constrained")
ax.plot(x, y, ".", label="samples")
ax.plot(dense, mean, "k", lw=1, label="mean")
ax.fill_between(
    dense[:, 0], (mean - 2 * deviation)[:, 0], (mean + 2 * deviation)[:, 0],
    alpha=0.25, label="± 2 deviations",
)  # fmt: skip
ax.set(xlabel="x", ylabel="y", ylim=(-3, 3))
ax.legend(loc="upper right")
