"""
Code that the stepper is tried on: right, and wrong in ways that it has to find.
"""
