"""Runs a command on the machine of a harness' session, past the agent: deterministic steps between an agent's own."""
