"""Whole fits, their parts, and what they take of memory."""

import numpy as np

import ggn


class Iterations:
    """Twenty iterations, of a size whose loop is compiled, and of one that is shared by threads."""

    params = [((2, 10, 1), 100), ((8, 30, 1), 5000)], ["squared", "cauchy"]
    param_names = ["sizes and samples", "loss"]

    def setup(self, problem, loss):
        sizes, T = problem
        rng = np.random.default_rng(0)
        self.net = ggn.MLP(sizes)
        self.X = rng.normal(size=(T, sizes[0]))
        self.Y = np.sin(self.X.sum(axis=1, keepdims=True))

    def time_train(self, problem, loss):
        with ggn.threads(1):
            ggn.train(self.net, self.X, self.Y, loss, max_iter=20, tol=0.0)


class Assembly:
    """The normal matrix, by products of pairs."""

    params = [(8, 50, 1), (8, 50, 50, 1), (64, 32, 10)]
    param_names = ["sizes"]

    def setup(self, sizes):
        rng = np.random.default_rng(0)
        self.net = ggn.MLP(sizes)
        X, Y = rng.normal(size=(2000, sizes[0])), rng.normal(size=(2000, sizes[-1]))
        self.at = ggn.linearize(self.net, self.net.initial_weights(0), X, Y)

    def time_normal_matrix(self, sizes):
        with ggn.threads(1):
            self.at.normal_matrix()

    def peakmem_normal_matrix(self, sizes):
        self.at.normal_matrix()


class Many:
    """Small fits, many at once."""

    def setup(self):
        rng = np.random.default_rng(0)
        self.net, self.X = ggn.MLP((1, 6, 1)), rng.normal(size=(40, 1))
        self.Y = np.sin(3 * self.X)

    def time_train_many(self):
        ggn.train_many(self.net, self.X, self.Y, n_fits=100, max_iter=20)


class Import:
    """What a program waits for before its first line."""

    def timeraw_import(self):
        return "import ggn"
