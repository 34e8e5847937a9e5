"""
CPython's own tests, run against proxies of objects that live in another process.
"""
