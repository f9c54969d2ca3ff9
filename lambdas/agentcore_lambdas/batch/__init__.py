"""The Lambda side of `HarnessBatch`: items in, results and failures out, each item in exactly one of the two."""
