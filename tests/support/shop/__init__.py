"""Tools and hooks of a small shop, as users write them: a package of its own that does not import the CDK."""
