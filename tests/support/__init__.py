"""
What several tests need: processes, blocks, and functions for workers.
"""
