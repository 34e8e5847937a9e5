"""
Shared names in tasks of a cluster.
"""
