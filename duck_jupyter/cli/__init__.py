"""
``jupyter duck``: the monitor and the doctor in a terminal.
"""
