"""
What the project promises in numbers, measured beside its peers.
"""
