"""
Methods that are known to change nothing: a table for each library, and the lookup.
"""
