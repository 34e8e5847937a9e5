"""
How objects of one library each are pickled for shared memory.
"""
