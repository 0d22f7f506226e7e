"""A part of the campaign of `stress.py`, which sanitizers run at length."""

import stress


def test_random_trainings_end_in_words_and_say_what_they_reached():
    ends = stress.campaign(120, seed=0)
    assert ends.total() == 120
    assert len(ends) >= 4
