"""
Tests of what the extension adds to pools.
"""
