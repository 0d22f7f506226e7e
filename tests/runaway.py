"""XOR on its way to J = 1/8 and 1/6, at weights built so that training could only follow.

With two samples of XOR at large net inputs of the same sign in each hidden unit, their
outputs are equal, at best 1/2: J = 1/8.  With three, at best 2/3: J = 1/6.  The rest is
fitted exactly, and the net inputs grow for ever.
"""

import numpy as np

import ggn

X, Y = ggn.problems.xor()
VALUES = (1 / 8, 1 / 6)


def on_the_way(J, hidden="tanh", output="identity"):
    """Return a net F(2,2,1) and weights at which J is 1e-11 or less above 1/8 or 1/6.

    The output layer is the best there, so all that is left of the gradient is of net inputs
    that grow.  Training from here would go its own way, as far as its last step takes it.
    """
    net = ggn.MLP((2, 2, 1), hidden, output)
    k = 30.0 if hidden == "sigmoid" else 15.0
    if J == 1 / 8:  # flat where x1 = 1
        W1 = np.array([[-k, -k], [-6.0, 5.0], [2.5, -3.0]])
        target = [0.0, 1.0, 0.5, 0.5]
    else:  # unit 0 flat but at x = 0, unit 1 everywhere
        W1 = np.array([[k, k], [k, k], [0.3, k]])
        target = [0.0, 2 / 3, 2 / 3, 2 / 3]
    if output == "sigmoid":
        target = np.log([max(t, 1e-6) / (1.0 - min(t, 1.0 - 1e-6)) for t in target])
    phi = net.activations[0].value(np.column_stack([X, np.ones(4)]) @ W1)
    W2 = np.linalg.lstsq(np.column_stack([phi, np.ones(4)]), target, rcond=1e-6)[0]
    w = net.pack([W1, W2[:, np.newaxis]])
    assert 0.0 < ggn.linearize(net, w, X, Y).loss - J < 1e-10
    return net, w
