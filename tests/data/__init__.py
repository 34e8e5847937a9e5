"""
Blocks of shared memory.
"""
