"""
Pools: what the extension adds to the pools that people already use.
"""
