"""How to move: the training loop, and the ways to train that are made of it."""
