"""What everything else rests on: errors, files, paths, settings and the installation. Knows nothing of the program."""
