"""The CDK app: `cdk deploy` stands the agent up on AWS, the tests do it on the local cloud."""

from __future__ import annotations

from aws_cdk import App
from support_agent.stack import SupportAgent


def build(**app_options: str) -> App:
    """Makes the app; the tests say where its assembly goes."""
    app = App(**app_options)
    SupportAgent(app, "SupportAgent")
    return app


if __name__ == "__main__":
    build().synth()
