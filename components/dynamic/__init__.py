"""Dynamic resources: their import paths are part of the state, so modules here never move."""
