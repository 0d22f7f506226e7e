"""A function to twelve digits, and the error between the nodes."""

import matplotlib.pyplot as plt
import numpy as np

import ggn


def f(x):
    return 1.0 / (1.0 + 25.0 * x**2)


found = ggn.approximate(f, bounds=(-1.0, 1.0), tol=1e-12)
x = np.linspace(-1.0, 1.0, 2001)[:, np.newaxis]

figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(6.4, 5.0), layout="constrained")
above.plot(x, f(x), lw=3, alpha=0.4, label="1 / (1 + 25 x²)")
above.plot(x, found.predict(x), "k--", lw=1, label="network")
above.legend(loc="upper right")
below.semilogy(x, np.abs(found.predict(x) - f(x)) + 1e-18, lw=0.8)
below.set(xlabel="x", ylabel="|error|")
