"""The report for auditors and reviewers: one HTML file of what a stack is and who may reach it."""
