"""
Sharing by name, without IPython.
"""
