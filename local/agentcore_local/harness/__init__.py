"""The harness control plane of the local cloud: state, operations, HTTP routes, validation."""
