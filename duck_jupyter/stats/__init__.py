"""
What happened, in numbers: what is counted, how it is collected, and in which words.
"""
