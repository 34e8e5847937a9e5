"""
Tests of `duck_jupyter.client`.
"""
