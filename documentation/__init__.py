"""Pages of the documentation that are made from the code, and the program that brings them up."""
