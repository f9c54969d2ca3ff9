"""Code of the reference agents that runs in Lambda: tools and hooks. It never imports the CDK."""
