"""
The shared and chained objects: their table, their policies, and operations on them.
"""
