"""
The client side: proxies, and the connections of a process to its server.
"""
