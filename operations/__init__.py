"""What people do beside `pulumi up`: run stacks, verify them, hand out client bundles."""
