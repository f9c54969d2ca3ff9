"""Where a session's commands run: a directory of its own that they cannot leave."""
