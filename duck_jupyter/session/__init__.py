"""
One process's shared names, the server behind them, and the settings. Knows no IPython.
"""
