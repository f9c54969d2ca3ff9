"""Asks people and hears what they say: a workflow waits in between, and its task token stays in the account."""
