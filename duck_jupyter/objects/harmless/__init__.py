"""
Methods that are known to change nothing: one table for each library, and the lookup.
"""
