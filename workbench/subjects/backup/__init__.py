"""One file that holds a home: writing it while a core runs, and restoring a home from it."""
