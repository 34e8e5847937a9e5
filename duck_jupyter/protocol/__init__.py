"""
Bytes: frames, values, references, faults. No I/O, no threads, no clock.
"""
