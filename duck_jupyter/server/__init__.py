"""
Real objects behind frames.
"""
