"""What a case may do: end well, or refuse with a sentence; in time, in memory, without a crash.

An exception is a refusal if it is a ValueError, TypeError or OSError, was raised by a `raise`
of ours (or is the ecosystem's own), and says in one line of several words what is wrong.
"""

from __future__ import annotations

import dis
import faulthandler
import multiprocessing
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from typing import NamedTuple

import numpy as np

import ggn

SECONDS = 10  # that a case may take
GROWTH = 2**30  # bytes of address space that it may take
THEIRS = ("sklearn", "joblib")  # whose sentences they are
HOME = os.path.dirname(ggn.__file__) + os.sep
RAISES = {dis.opmap[name] for name in ("RAISE_VARARGS", "RERAISE") if name in dis.opmap}
KINDS = (ValueError, TypeError, OSError)
OURS = (UserWarning,)  # warnings that are sentences to the user


class Hang(BaseException):
    """The case has taken too long."""


class Outcome(NamedTuple):
    """What came of a case: `fault` is None where it was as it should be."""

    kind: str
    fault: str | None = None


def judged(error: BaseException) -> Outcome:
    """Return what an exception is: a refusal, or a fault."""
    frames = traceback.extract_tb(error.__traceback__)
    name, text = type(error).__name__, str(error)
    if not frames:
        return Outcome(name, f"{name}: {text!r} out of nowhere")
    ours = [frame for frame in frames if frame.filename.startswith(HOME)]
    place = (ours or frames)[-1]
    where = f"{os.path.basename(place.filename)}:{place.lineno}"
    fault = f"{name}: {text[:160]!r} at {where}"
    if frames[-1].filename != place.filename:
        fault += f" (in {os.path.basename(frames[-1].filename)}:{frames[-1].lineno})"
    if not isinstance(error, KINDS):
        return Outcome(name, fault)
    theirs = any(f"site-packages/{name}" in frame.filename for frame in frames for name in THEIRS)
    own = _raised(error) or theirs or text.startswith("expected str, bytes or os.PathLike")
    if isinstance(error, OSError) and error.filename is not None:
        own = True  # the system's, which names the file
    if not own or len(text.split()) < 3 or ("\n" in text and not theirs):
        return Outcome(name, fault)
    return Outcome(name)


def _raised(error: BaseException) -> bool:
    """Whether a `raise` of the library's made it, and not Python or NumPy on its behalf."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    if at is None:
        return False
    code = at.tb_frame.f_code
    if not code.co_filename.startswith(HOME):
        return code.co_filename.endswith((".pyx", ".pxd"))  # the door's
    return code.co_code[at.tb_lasti] in RAISES


def tried(call, *, warns: bool = False) -> Outcome:
    """Run a case and judge it; warnings are faults unless they are sentences of ours."""
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for kind in OURS:
                warnings.simplefilter("ignore", kind)
            call()
    except Hang:
        return Outcome("hang", f"more than {SECONDS} s")
    except Warning as error:
        return Outcome("warning", judged(error).fault)
    except BaseException as error:  # what it is, is what is asked
        return judged(error)
    finally:
        signal.alarm(0)
    return Outcome("well")


def _late(number, frame):
    raise Hang


def campaign(case, count: int, seed: int, first: int = 0, batch: int = 2000, share=None) -> Counter:
    """Run cases first ... first + count - 1 in child processes, and print each new fault.

    `case(rng)` returns an `Outcome`, or the call to be tried.
    """
    counts: Counter = Counter()
    seen: set[tuple[str, ...]] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case(np.random.default_rng([seed, first]))  # what all cases share is made here
    context = multiprocessing.get_context("fork")
    at, end, began = first, first + count, time.monotonic()
    while at < end:
        reader, writer = context.Pipe(False)
        number = context.Value("q", at, lock=False)
        stop = min(at + batch, end)
        child = context.Process(target=_batch, args=(case, at, stop, seed, number, writer))
        child.start()
        writer.close()
        found = []
        while True:
            try:
                found.append(reader.recv())
            except EOFError:
                break
        child.join()
        for i, outcome in found:
            counts[outcome.kind] += 1
            if outcome.fault is not None:
                counts["FAULTS"] += 1
                place = outcome.fault.partition(": ")[0], outcome.fault.rpartition(" at ")[2]
                if (outcome.kind, *place) not in seen:
                    seen.add((outcome.kind, *place))
                    print(f"{i}: {outcome.fault}", flush=True)
        if child.exitcode:
            counts["FAULTS"] += 1
            print(f"{number.value}: the process ended with {child.exitcode}", flush=True)
            at = number.value + 1
        else:
            at = stop
    counts["seconds"] = round(time.monotonic() - began)
    return counts


def _batch(case, at, stop, seed, number, writer):
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    most = _address_space() + GROWTH
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for i in range(at, stop):
        number.value = i
        faulthandler.dump_traceback_later(6 * SECONDS, exit=True)
        try:
            writer.send((i, one(case, seed, i)))
        except MemoryError as error:
            writer.send((i, Outcome("MemoryError", f"of the harness: {error}")))
    faulthandler.cancel_dump_traceback_later()
    writer.close()
    os._exit(0)


def one(case, seed: int, i: int) -> Outcome:
    """Run one case."""
    made = case(np.random.default_rng([seed, i]))
    return made if isinstance(made, Outcome) else tried(made)


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
