"""
Frames, values, references and faults as bytes. No I/O; only manual frames poll.
"""
