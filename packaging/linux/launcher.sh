#!/bin/sh
# Starts the program with its own Python, wherever this folder lies. The variables are those of workbench/base/installation.py.
here=$(dirname "$(readlink -f "$0")")
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONINSPECT PYTHONOPTIMIZE PYTHONPLATLIBDIR PYTHONEXECUTABLE PYTHONUSERBASE \
  PYTHONPYCACHEPREFIX PYTHONWARNINGS PYTHONBREAKPOINT QT_PLUGIN_PATH QT_QPA_PLATFORM_PLUGIN_PATH GGML_BACKEND_PATH LLAMA_CPP_LIB_PATH
export PYTHONNOUSERSITE=1
exec "$here/../python/bin/python3" -P -m @MODULE@ "$@"
