"""Data plane that carries traffic: HAProxy for listeners, an HTTP server for each ECS instance."""
