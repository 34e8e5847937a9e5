"""
The tests of pools that others wrote, run without and with the extension loaded.
"""
