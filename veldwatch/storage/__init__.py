"""The database: the only package that holds SQL or imports psycopg."""
