"""Everything that knows of CLB: its API, imports, experiments at a listener, and orphans."""
