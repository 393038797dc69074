"""CLB as the load balancer: its instance, server groups, certificates and listeners."""
