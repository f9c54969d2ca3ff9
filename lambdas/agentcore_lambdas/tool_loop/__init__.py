"""Drives a harness with inline tools: reads its stream, runs the function a call names, sends the result back."""
