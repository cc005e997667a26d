#!/bin/sh
# Builds llama-cpp-python with a library for each kind of processor, and OpenMP beside them:
#   packaging/linux/build_llama.sh PYTHON WORK OUT
# PYTHON needs pip, scikit-build-core, cmake and ninja; run it on the oldest system that is to be supported. JOBS [all
# cores] compilers run at once. OUT gets the wheel. PACK=vulkan (or cuda, hip) builds that backend's library as well.
set -eu
python=$1 work=$2 out=$3
version=$(sed -n 's/^llama-cpp-python==\([^ ]*\).*/\1/p' "$(dirname "$0")/../locks/llama-cpp-python.txt")
mkdir -p "$work/source" "$out"
"$python" -m pip download --quiet --no-deps --no-build-isolation --no-binary :all: --require-hashes \
  -r "$(dirname "$0")/../locks/llama-cpp-python.txt" -d "$work/source"
rm -rf "$work/llama_cpp_python-$version"
tar xf "$work/source/llama_cpp_python-$version.tar.gz" -C "$work"
llama=$work/llama_cpp_python-$version/vendor/llama.cpp/ggml/src/ggml-cpu/CMakeLists.txt
change() { # FILE EXPRESSION: by sed; a later llama.cpp may look different, and the change must not get lost in silence
  sed "$2" "$1" > "$1.changed"
  if cmp -s "$1" "$1.changed"; then echo "$1: nothing to change by $2" >&2; exit 1; fi
  mv "$1.changed" "$1"
}
# of 413 source files 108 are for pictures and for llama.cpp's own programs, which use them: neither is in the program
change "$work/llama_cpp_python-$version/CMakeLists.txt" 's/set(LLAMA_BUILD_COMMON ON /set(LLAMA_BUILD_COMMON OFF /'
# without a processor to tune for, GCC 12 orders the loops of the dot products so that Zen 5 loses 8 % of a prompt's speed;
# as it comes, such a loop may also begin with a line of the cache, which costs the same there: unrolled it does not matter
change "$llama" 's/list(APPEND ARCH_FLAGS -mavx512f)/list(APPEND ARCH_FLAGS -mavx512f -mtune=icelake-server)/'
change "$llama" 's/^    target_compile_options(${GGML_CPU_NAME} PRIVATE ${ARCH_FLAGS})$/&\
    set_source_files_properties(ggml-cpu\/arch\/x86\/quants.c PROPERTIES COMPILE_OPTIONS "-funroll-loops;-falign-functions=64")/'
export CMAKE_BUILD_PARALLEL_LEVEL="${JOBS:-$(nproc)}"
# without the last of the first line the variants are installed elsewhere, and there is no backend for the processor
export CMAKE_ARGS="-DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DGGML_NATIVE=OFF -DCMAKE_INSTALL_BINDIR=llama_cpp/lib \
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAVA_BUILD=OFF"
case "${PACK:-}" in
  vulkan)
    CMAKE_ARGS="$CMAKE_ARGS -DGGML_VULKAN=ON"
    if [ -d /opt/shaders ]; then CMAKE_ARGS="$CMAKE_ARGS $(cat /opt/shaders/cmake-args)"; fi ;; # packaging/packs/shader_tools.sh
  cuda) CMAKE_ARGS="$CMAKE_ARGS -DGGML_CUDA=ON" ;;
  hip) CMAKE_ARGS="$CMAKE_ARGS -DGGML_HIP=ON" ;;
esac
"$python" -m pip wheel --no-deps --no-build-isolation -w "$work/wheel" --config-settings=build-dir="$work/build" \
  "$work/llama_cpp_python-$version"
"$python" "$(dirname "$0")/finish_wheel.py" "$work/wheel"/llama_cpp_python-*.whl "$out"
