"""SQLite storage: opening, migrations, and the records that people author. All SQL of the core is here."""
