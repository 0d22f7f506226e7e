"""Use an installed ggn as a newcomer would, from outside its source tree."""

import pathlib
import subprocess
import sys

import numpy as np

import ggn

assert "site-packages" in str(pathlib.Path(ggn.__file__).resolve()), ggn.__file__
x = np.linspace(-1.0, 1.0, 50)[:, np.newaxis]
fit = ggn.train(ggn.MLP((1, 8, 1)), x, np.sin(3 * x))
assert fit.fun < 1e-10, fit
pathlib.Path("line.csv").write_text("a,b\n" + "".join(f"{i},{2 * i + 1}\n" for i in range(30)))
run = [sys.executable, "-m", "ggn"]
subprocess.run(
    [*run, "train", "line.csv", "--target", "b", "--hidden", "3", "--save", "m.npz"], check=True
)
subprocess.run([*run, "predict", "m.npz", "line.csv", "-o", "out.csv"], check=True)
assert pathlib.Path("out.csv").read_text().startswith("b\n")
print("smoke test passed:", ggn.__file__)
