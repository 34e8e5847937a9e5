"""
Lanes, handshakes, and clients that keep no rules.
"""
