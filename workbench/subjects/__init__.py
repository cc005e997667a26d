"""The subjects of a home: one package each, with its values that cross processes (``calls``), what it stores
(``store``), its handlers and run kinds. A subject imports those that stand below it in the contract of layers."""
