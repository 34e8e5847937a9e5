"""
Many processes and threads at once, and what becomes of the others when one ends.
"""
