"""Commands that people run beside `pulumi up`: run stacks, verify them, hand out client bundles."""
