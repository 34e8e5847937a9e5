"""
The far side: proxies, and how a process reaches its server.
"""
