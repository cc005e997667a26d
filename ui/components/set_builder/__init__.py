"""The builder of data sets: its dialog, the sources of a set, the list of generated pairs."""
