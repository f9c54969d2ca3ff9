"""Code that runs inside AWS Lambda, next to an agent. Needs pydantic and, where noted, Powertools; never the CDK."""
