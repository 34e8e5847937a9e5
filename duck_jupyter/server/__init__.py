"""
The server: its threads, its connections, and requests to the server itself.
"""
