"""
Frames in lanes: moves bytes between two processes. Imports no objects.
"""
