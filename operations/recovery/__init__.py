"""Recovery from an interrupted `up`: what it left in the cloud is found and removed.

The engine, the provider or this machine may end, or an answer be lost, after the cloud has made
something and before the state says so. No later `up` knows of it: an instance would be billed for
ever, and a listener be in the way of the one that the program makes. What is left was never in use,
so that it is removed, and made again.
"""
