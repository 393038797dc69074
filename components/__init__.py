"""Pulumi components of a mutual-TLS load balancer, and the dynamic resources they own."""
