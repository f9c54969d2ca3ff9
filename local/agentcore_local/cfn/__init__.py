"""CloudFormation in the local cloud: handlers for the types ministack lacks, and what its own ones leave out."""
