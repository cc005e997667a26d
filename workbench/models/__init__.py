"""Models on disk: what their files say of themselves, starter packages, import, the machine they have to fit.

Runs in the core process and therefore loads no model library: files are read by our own bounded readers, since
a model file comes from a stranger. What is in the catalogue is kept by ``workbench.storage``.
"""
