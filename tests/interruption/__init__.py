"""
An operation is interrupted, called into or killed at every step of its client side.
"""
