"""Import of an existing load balancer, made by hand as the tutorial makes it, into a stack.

Its instance, default server group and HTTPS listener become the stack's by `pulumi import`, as they
are. Certificates do not: the API returns no content of theirs, so the program could only replace
them. It uploads its own beside them, the listener switches in place, and the old ones stay.
"""
