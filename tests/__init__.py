"""
The tests; a package, so that spawned workers can import what they run.
"""
