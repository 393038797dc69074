"""A stack's configuration and outputs: what a stack adds to the arguments of the components."""
