"""What carries traffic: HAProxy for listeners, one HTTP server process for each ECS instance."""
