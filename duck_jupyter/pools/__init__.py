"""
Pools: the features that the extension adds to existing classes of pools.
"""
