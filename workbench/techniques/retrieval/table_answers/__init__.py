"""Questions about tables, answered by a query: the tables of a collection, the candidates of a question, their choice
and their wording. The road of a table is ``road.run``."""
