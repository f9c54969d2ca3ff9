"""`python -m agentcore_cli`: the command, where its script is not on PATH."""

from __future__ import annotations

from agentcore_cli.main import main

main()
