"""
The live monitor: who looks, what they are sent, and how they are shown it.
"""
