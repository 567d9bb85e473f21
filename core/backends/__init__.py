"""How the world answers: one folder per port, one module per backend, a table of rows in each `__init__`."""
