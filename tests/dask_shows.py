"""Two campaigns on a cluster of this machine's processes, too long for the suite.

python tests/dask_shows.py same [PROBLEMS=30] [SEED=0]  random problems, here and on 1 to 4 workers
python tests/dask_shows.py kill [KILLS=50] [SEED=0]     a worker killed at a random moment of a fit,
                                                        half with nannies, half without

Each ends with a line of what was found, `kill` with the number of processes that are left, and with
status 1 where that is not as promised.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

import ggn
import ggn.dask

LOSSES = ("squared", "cauchy", "blake_zisserman", "smooth_lp", "logistic", "softmax_cross_entropy")
LIMIT = 60.0  # seconds of a fit that a kill has met
LEAST = 2  # workers that a fit begins with
QUIET = {
    "logging.distributed": "critical",
    # a LocalCluster gives up a worker that is not back so soon, as on a busy machine
    "distributed.deploy.lost-worker-timeout": "2 minutes",
}
CONDITION, ALIKE_J, ALIKE_w = 1e6, 1e-12, 1e-9  # below the first, J and w agree to the others
STARTS, LAST, STEADY = 3, 4e-16, 0.1  # starts that differ by so much may change a tenth of that
MARK = "GGN_DASK_SHOWS"  # in the environment of all processes that descend from this one


def problem(rng):
    """Return network, data and options of one random problem."""
    n0, nL = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    loss = LOSSES[rng.integers(len(LOSSES))]
    if loss == "softmax_cross_entropy":
        nL = max(nL, 2)
    hidden = [int(n) for n in rng.integers(2, 9, size=rng.integers(1, 3))]
    net = ggn.MLP((n0, *hidden, nL), rng.choice(["tanh", "softplus", "bent_identity"]))
    T = int(10 ** rng.uniform(3.0, np.log10(2e5)))
    X = rng.normal(size=(T, n0)) * 10 ** rng.uniform(-1, 1, n0) + rng.normal(size=n0)
    Y = np.sin(X @ (rng.normal(size=(n0, nL)) / X.std(axis=0)[:, np.newaxis]))
    Y += 0.1 * rng.standard_t(3, size=Y.shape)
    if loss == "logistic":
        Y = (Y > 0.0).astype(float)
    elif loss == "softmax_cross_entropy":
        Y = np.eye(nL)[Y.argmax(axis=1)]
    s = rng.uniform(0.1, 3.0, T) if rng.random() < 0.5 else None
    return net, X, Y, loss, s, int(2 ** rng.uniform(0.0, 6.0))


def workers_of_our_own(n, processes=True):
    """Return a cluster of n workers of one thread."""
    return LocalCluster(
        n_workers=n, threads_per_worker=1, processes=processes, dashboard_address=":0",
        silence_logs=50,
    )  # fmt: skip


def apart(a, b):
    """Return by how much two fits differ: J and w, relative."""
    return abs(a.fun - b.fun) / abs(b.fun), float(np.linalg.norm(a.w - b.w) / np.linalg.norm(b.w))


def by_rounding(here, net, X, Y, s, options):
    """Return by how much a fit here changes with the rounding of its start.

    That is the condition of "w after so many iterations": what a last digit grows to on the way,
    near saddles, and where J is flat to its own last digit.
    """
    start = ggn.train(net, X, Y, sample_weight=s, **{**options, "max_iter": 0}).w
    found = []
    for seed in range(STARTS):
        off = LAST * np.random.default_rng(seed).normal(size=len(start))
        own = ggn.train(net, X, Y, sample_weight=s, **{**options, "w0": start * (1.0 + off)})
        found.append(apart(own, here))
    return np.max(found, axis=0)


def same(problems, seed):
    """Compare fits after fifty iterations with those of ggn.train; and two runs by their bits."""
    rng, worst_J, worst_w, unlike, well = np.random.default_rng(seed), 0.0, 0.0, 0, 0
    with (
        dask.config.set(QUIET),
        workers_of_our_own(4, processes=False) as cluster,
        Client(cluster) as client,
    ):
        client.run(__import__, "ggn.dask")
        workers = list(client.run(os.getpid))  # threads here: what they compute is the same
        print(f"{'network':<16}{'loss':<23}{'T':>7}{'chunks':>7}{'workers':>8}"
              f"{'J':>10}{'w':>10}{'own J':>10}{'own w':>10}{'condition':>11}  bits")  # fmt: skip
        for _ in range(problems):
            net, X, Y, loss, s, count = problem(rng)
            options = {"loss": loss, "max_iter": 50, "tol": 0.0, "l2": 1e-3, "rng": 3}
            here = ggn.train(net, X, Y, sample_weight=s, **options)
            own_J, own_w = by_rounding(here, net, X, Y, s, options)
            rows = -(-len(X) // count)
            W, few = int(rng.integers(1, 5)), int(rng.integers(1, 5))
            cut = [None if a is None else da.from_array(a, chunks=(rows, *a.shape[1:]))
                   for a in (X, Y, s)]  # fmt: skip
            with dask.annotate(workers=workers[:W]):
                there = ggn.dask.train(client, net, *cut[:2], sample_weight=cut[2], **options)
            options["max_iter"] = 3
            runs = []
            for n in (few, few % 4 + 1):
                with dask.annotate(workers=workers[-n:]):
                    runs.append(
                        ggn.dask.train(client, net, *cut[:2], sample_weight=cut[2], **options)
                    )
            bits = runs[0].w.tobytes() == runs[1].w.tobytes()
            unlike += not bits
            J, w = apart(there, here)
            G = ggn.linearize(net, here.w, X, Y, loss, sample_weight=s, l2=1e-3).normal_matrix(True)
            D = 1.0 / np.sqrt(np.diag(G))
            condition = float(np.linalg.cond(G * D * D[:, np.newaxis]))
            steady = own_J < STEADY * ALIKE_J and own_w < STEADY * ALIKE_w
            if condition < CONDITION and steady:
                well += 1
                worst_J, worst_w = max(worst_J, J), max(worst_w, w)
            name, chunks = "-".join(map(str, net.sizes)), cut[0].numblocks[0]
            print(f"{name:<16}{loss:<23}{len(X):>7}{chunks:>7}"
                  f"{W:>8}{J:>10.1e}{w:>10.1e}{own_J:>10.1e}{own_w:>10.1e}{condition:>11.1e}  "
                  f"{'same' if bits else 'DIFFER'}",
                  flush=True)  # fmt: skip
    print(f"largest in the {well} of {problems} problems whose condition is below {CONDITION:.0e} "
          f"and which the start's rounding hardly changes: J {worst_J:.1e}, w {worst_w:.1e}; bits "
          f"differ in {unlike} of {problems}")  # fmt: skip
    return worst_J > ALIKE_J or worst_w > ALIKE_w or unlike


@contextlib.contextmanager
def nannies():
    """Workers that are started again when they die."""
    with (
        workers_of_our_own(4) as cluster,
        Client(cluster) as client,
    ):

        def more():  # a nanny whose worker is killed as it starts may give up
            try:
                client.wait_for_workers(LEAST, timeout=20)
            except TimeoutError:
                cluster.scale(len(cluster.workers) + LEAST)

        yield client, more
        with contextlib.suppress(KeyError):  # distributed stumbles over a worker that it removed
            cluster.close()


@contextlib.contextmanager
def bare():
    """Workers that are not; `more` makes up the number."""
    with (
        workers_of_our_own(0) as cluster,
        Client(cluster) as client,
    ):
        started = []

        def more():
            started[:] = [process for process in started if process.poll() is None]
            while len(started) < 4:
                command = [sys.executable, "-m", "distributed.cli.dask_worker",
                           cluster.scheduler_address, "--no-nanny", "--nthreads", "1",
                           "--no-dashboard"]  # fmt: skip
                quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
                started.append(subprocess.Popen(command, **quiet))
            client.wait_for_workers(LEAST)

        try:
            more()
            yield client, more
        finally:
            for process in started:
                process.kill()
                process.wait(60)


def pids(client):
    return client.run(os.getpid, on_error="ignore")


def kill(kills, seed, kinds=(nannies, bare)):
    """Kill a worker at a random moment of a fit; the bits, the time, what is left behind."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(4000, 4))
    Y = np.sin(X.sum(axis=1))
    net, slowest, wrong, tasks = ggn.MLP((4, 6, 1)), 0.0, 0, 0
    os.environ[MARK] = f"{os.getpid()}-{seed}"
    options = {"max_iter": 1, "tol": 0.0}
    with dask.config.set(QUIET):
        for kind in kinds:
            count = kills // len(kinds)
            with kind() as (client, more):
                A, B = client.persist((da.from_array(X, chunks=(1000, 4)),
                                       da.from_array(Y, chunks=1000)))  # fmt: skip
                client.run(__import__, "ggn.dask")
                start = time.perf_counter()
                whole = ggn.dask.train(client, net, A, B, **options)
                seconds = time.perf_counter() - start
                for i in range(count):
                    more()
                    client.wait_for_workers(LEAST)
                    victim = int(rng.choice(list(pids(client).values())))
                    moment = rng.uniform(0.0, seconds)
                    timer = threading.Timer(moment, os.kill, (victim, signal.SIGKILL))
                    start = time.perf_counter()
                    timer.start()
                    hurt = ggn.dask.train(client, net, A, B, **options)
                    took = time.perf_counter() - start
                    timer.join()
                    slowest = max(slowest, took)
                    right = hurt.w.tobytes() == whole.w.tobytes() and hurt.status is whole.status
                    wrong += not right or took > LIMIT
                    print(f"{kind.__name__:<8}{i + 1:>3}: killed after {moment:5.2f} s of "
                          f"{seconds:.2f}; {took:5.2f} s, {'same bits' if right else 'DIFFER'}",
                          flush=True)  # fmt: skip
                time.sleep(1.0)
                tasks += len(client.run_on_scheduler(ours))
    for _ in range(10):
        left = descendants()
        if not left:
            break
        time.sleep(1.0)
    print(f"{kills} kills: {wrong} wrong or late, slowest {slowest:.1f} s, {tasks} tasks left on "
          f"schedulers, {len(left)} orphan processes {left or ''}")  # fmt: skip
    return wrong or tasks or left


def ours(dask_scheduler):
    """Return the tasks of fits."""
    return [str(key) for key in dask_scheduler.tasks if "ggn" in str(key)]


def descendants():
    """Return the processes that carry the mark, whoever their parent is now, and no zombies."""
    told, found = f"{MARK}={os.environ[MARK]}".encode(), []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
            if told in file.read().split(b"\0") and not helps(pid):
                found.append(int(pid))
    return found


def helps(pid):
    """Whether a process is this one, or multiprocessing's own, which ends with this one."""
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return int(pid) == os.getpid() or b"resource_tracker" in file.read()


if __name__ == "__main__":
    words = sys.argv[1:]
    if not words or words[0] not in ("same", "kill"):
        sys.exit(__doc__)
    most = {"same": 30, "kill": 50}[words[0]]
    count, seed = (int(word) for word in (*words[1:], *(str(most), "0")[len(words) - 1 :]))
    sys.exit(bool({"same": same, "kill": kill}[words[0]](count, seed)))
