"""
The live monitor: its viewers, the snapshots that they get, and the widget.
"""
