"""Networks in a loop: outputs that are inputs of later samples, as of systems in time."""
