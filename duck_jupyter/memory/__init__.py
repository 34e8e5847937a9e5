"""
Blocks of shared memory. Knows no frames.
"""
