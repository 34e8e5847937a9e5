"""
The numbers of a server, and how they are written.
"""
