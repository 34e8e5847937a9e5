"""
The IPython side: the magics, their completion, loading and unloading.
"""
