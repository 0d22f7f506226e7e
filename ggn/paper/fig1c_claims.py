"""What section 6 of the paper says of Fig. 1(c), beside what the runs say."""

from __future__ import annotations

import numpy as np

from ggn.paper import bp_forms
from ggn.paper.fig1c import BP_ITERATIONS, BP_SECONDS, GGN_SECONDS, METHODS, RATIO, Fig1c
from ggn.paper.sections import Claim

__all__ = ["claims"]


def claims(data: Fig1c) -> list[Claim]:
    """Return each claim with the paper's number and ours."""
    ggn, n = [run["ggn"] for run in data.losses], len(data.losses)
    found = [_rise(ggn), _minimum(data), _smooth(ggn)]
    meanwhile = [data.bp_meanwhile(run) for run in range(n)]
    ahead = [bool(J[-1] < bp) for J, (bp, _) in zip(ggn, meanwhile, strict=True)]
    found.append(
        Claim(
            "Given the same time, GGN reaches a smaller loss than BP.",
            f"So in {sum(ahead)} of {n} runs: "
            + ", ".join(
                f"{J[-1]:.2g} against {bp:.2g}" for J, (bp, _) in zip(ggn, meanwhile, strict=True)
            )
            + ".",
            sum(ahead) > n / 2,
            "shown",
        )
    )
    found += _times(data, [k for _, k in meanwhile])
    if data.forms.runs:
        found.append(bp_forms.claim(data.forms))
    return found


def _rise(ggn: list[np.ndarray]) -> Claim:
    rises = [bool(J.max() > J[0]) for J in ggn]
    return Claim(
        "GGN goes up at the beginning.",
        f"The loss rises above its start in {sum(rises)} of {len(ggn)} runs, by a factor of "
        f"{np.median([J.max() / J[0] for J in ggn]):.2g} in the median.",
        all(rises),
        "shown",
    )


def _minimum(data: Fig1c) -> Claim:
    """Ask damped GGN: where it comes lower from the same weights, GGN is at no global minimum."""
    ends = [(run["ggn"][-1], run["lm"].min()) for run in data.losses]
    undercut = sum(bool(lm < 0.9 * end) for end, lm in ends)
    return Claim(
        "Then GGN converges to the global minimal value.",
        f"It ends at {np.median([end for end, _ in ends]):.2g} in the median, damped GGN from the "
        f"same weights at {np.median([lm for _, lm in ends]):.2g}: in {undercut} of "
        f"{len(ends)} runs the end of GGN is not the least value, by a tenth or more.",
        undercut == 0,
        "shown",
    )


def _smooth(ggn: list[np.ndarray]) -> Claim:
    """From its largest loss on, GGN should not rise."""
    falls = [np.diff(J[J.argmax() :]) for J in ggn]
    shares = [float(np.mean(fall > 0.0)) for fall in falls if len(fall)] or [1.0]
    return Claim(
        "It converges smoothly.",
        f"After its largest value the loss rises in {100 * np.median(shares):.2g} % of the "
        f"iterations in the median, in {100 * max(shares):.2g} % at most. (Under a twentieth "
        "counts as holding.)",
        max(shares) < 0.05,
        "shown",
    )


def _times(data: Fig1c, meanwhile: list[int]) -> list[Claim]:
    per = {method: data.per_iteration(method) for method in METHODS}
    ratio = per["ggn"] / per["bp"]
    fair = 1000.0 * float(np.median(meanwhile)) / data.iterations
    return [
        Claim(
            "1000 iterations take BP 61.1 s and GGN 1314.1 s.",
            f"{1e3 * per['bp']:.2g} s and {1e3 * per['ggn']:.3g} s on one core of this machine; "
            f"with Levenberg-Marquardt damping, whose matrix has a Cholesky factor, "
            f"{1e3 * per['lm']:.2g} s. (Machines differ: open.)",
            None,
            f"{BP_SECONDS} s, {GGN_SECONDS} s",
        ),
        Claim(
            f"An iteration of GGN takes about {RATIO} times as long as one of BP.",
            f"{ratio:.1f} times here; with Levenberg-Marquardt damping "
            f"{per['lm'] / per['bp']:.1f} times. The paper's own times are "
            f"{GGN_SECONDS / BP_SECONDS:.1f} to one, its iterations {BP_ITERATIONS / 1000:.2f}. "
            "(Within a factor of two counts as holding.)",
            0.5 < ratio / RATIO < 2.0,
            f"{RATIO}",
        ),
        Claim(
            f"BP makes {BP_ITERATIONS} iterations in the time of 1000 of GGN.",
            f"{fair:.0f} here, in the median run. (Within a factor of two counts as holding.)",
            0.5 < fair / BP_ITERATIONS < 2.0,
            f"{BP_ITERATIONS}",
        ),
    ]
