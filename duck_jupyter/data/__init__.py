"""
The data plane: objects as values, in versions of shared memory. Knows no proxies.
"""
