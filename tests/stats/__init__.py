"""
Tests of `duck_jupyter.stats`.
"""
