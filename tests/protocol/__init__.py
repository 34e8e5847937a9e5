"""
Bytes: frames, values, faults.
"""
