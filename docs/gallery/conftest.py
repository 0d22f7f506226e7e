"""The scripts are run by the build of the guide; they hold no doctests."""

collect_ignore_glob = ["*.py"]
