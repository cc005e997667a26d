"""Runtime packs: libraries that let llama.cpp compute on a GPU. This package knows files and drivers."""
