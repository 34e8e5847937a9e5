"""
The counters, the rows that are made from them, and the format of numbers.
"""
