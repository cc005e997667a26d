"""What is stored in SQLite: opening, migrating and the records that people author. All SQL of the core is here."""
