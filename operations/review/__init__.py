"""Review of what a preview plans, as a comment on a change."""
