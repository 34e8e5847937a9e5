"""
The shared names of one process, their server, and the settings. Imports no IPython.
"""
