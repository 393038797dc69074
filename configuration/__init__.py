"""Configuration and outputs of a stack: what it adds to the arguments of the components."""
