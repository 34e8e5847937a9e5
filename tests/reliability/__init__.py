"""
Seeded rounds of interrupts, kills, crowds and nested calls, with ledgers of each call.

``python -m tests.reliability`` runs them and prints the table of what was lost.
"""
