"""
Shared names in the tasks of a cluster's engine, such as Dask.
"""
