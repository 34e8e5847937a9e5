"""
Tests of `duck_jupyter.server`.
"""
