"""Workflows on the local cloud: what runs executions, tasks, callbacks and Distributed Maps.

ministack keeps the records, evaluates the States Language's fields and calls the services; the loops are ours.
"""
