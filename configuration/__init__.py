"""The models that `settings.py` puts together, and how their mistakes are told."""
