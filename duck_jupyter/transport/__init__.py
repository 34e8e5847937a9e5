"""
Frames in lanes: moves bytes between two processes. Knows no objects.
"""
