"""AgentCore Gateway in the local cloud: its control plane, and the gateways themselves, which are real MCP servers."""
