"""What a preview plans, as a comment that a reviewer reads."""
