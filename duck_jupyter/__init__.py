"""
Live proxies of notebook variables for worker processes, over shared memory.
"""
