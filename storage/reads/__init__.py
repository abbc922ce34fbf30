"""Reading stores, one per noun: SQL and records alone, so that a read loads no more than psycopg.

The writing stores in storage.stores add to these; a unit of work reads through the same code in its transaction.
"""
