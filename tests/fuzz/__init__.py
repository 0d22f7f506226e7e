"""Random tries of everything that takes what others wrote: files, arrays, calls, interrupts, kills.

    python -m fuzz doors --count 50000 --seed 0        (from the folder tests/)

A case is known by its kind, seed and number; `--only NUMBER` runs one of them again.
"""
