"""
Tests of `duck_jupyter.objects`.
"""
