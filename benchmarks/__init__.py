"""How fast l3embed is, and how much memory it takes, against the naive way on today's libraries.

``python -m benchmarks`` measures everything and writes the table and the chart; see ``README.md``.
"""
