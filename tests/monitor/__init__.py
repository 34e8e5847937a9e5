"""
The extension in a plain shell, and in real kernels.
"""
