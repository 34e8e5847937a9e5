"""
What IPython sees: the magics, their completion, and how they come and go.
"""
