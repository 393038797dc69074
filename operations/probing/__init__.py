"""What only an account can tell: questions that documentation leaves open, tried from outside."""
