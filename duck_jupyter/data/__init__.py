"""
The data plane: objects as values, in versions of shared memory. Imports no proxies.
"""
