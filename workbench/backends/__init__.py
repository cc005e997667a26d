"""Where models are computed: the protocol of techniques (``backend``) and llama.cpp behind it (``llama_cpp``)."""
