"""
The objects that clients reach: the table of them, and what may be done to each.
"""
