"""
Every method that a table calls harmless, called on an object of its type.
"""
