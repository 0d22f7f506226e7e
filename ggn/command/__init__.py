"""The command line, `python -m ggn`."""
