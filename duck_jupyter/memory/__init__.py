"""
Shared memory: blocks, files, copying and tracking of writes. Imports no frames.
"""
