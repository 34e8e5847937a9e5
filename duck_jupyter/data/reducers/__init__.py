"""
How the objects of each library are pickled for shared memory.
"""
