"""LLM Workbench: adapt an open language model to your own needs, on your own machine, and measure what pays.

This package is the engine. It never imports Qt; the window lives in ``ui``.
"""

__version__ = "0.1.0"
