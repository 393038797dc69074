"""Alibaba Cloud's load balancer, ECS and VPC APIs with a real data plane, on loopback."""
