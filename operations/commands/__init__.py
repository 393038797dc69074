"""The commands of `python -m operations`: what each asks, does and says on the terminal."""
