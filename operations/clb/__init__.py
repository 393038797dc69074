"""What knows of CLB: its API, adoption of an existing one, what its listeners do, and orphans."""
