#!/bin/sh
# Builds llama-cpp-python with a library for each kind of processor, and OpenMP beside them:
#   packaging/linux/build_llama.sh PYTHON WORK OUT
# PYTHON needs pip, scikit-build-core, cmake and ninja; run it on the oldest system that is to be supported. JOBS [all
# cores] compilers run at once. OUT gets the wheel. With PACK=vulkan (or cuda, hip) it gets that backend's library instead,
# and those of CUDA that it is linked to: for packaging/packs/make_pack.py.
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
# the library that llama.cpp's own programs share is not in the program; images are read by mtmd, which does without it
change "$work/llama_cpp_python-$version/CMakeLists.txt" 's/set(LLAMA_BUILD_COMMON ON /set(LLAMA_BUILD_COMMON OFF /'
# without a processor to tune for, GCC 12 orders the loops of the dot products so that Zen 5 loses 8 % of a prompt's speed;
# as it comes, such a loop may also begin with a line of the cache, which costs the same there: unrolled it does not matter
change "$llama" 's/list(APPEND ARCH_FLAGS -mavx512f)/list(APPEND ARCH_FLAGS -mavx512f -mtune=icelake-server)/'
change "$llama" 's/^    target_compile_options(${GGML_CPU_NAME} PRIVATE ${ARCH_FLAGS})$/&\
    set_source_files_properties(ggml-cpu\/arch\/x86\/quants.c PROPERTIES COMPILE_OPTIONS "-funroll-loops;-falign-functions=64")/'
# in GCC 12 the instruction that loads the shape of AMX's tiles reads 8 bytes of it as far as the compiler knows (amxtileintrin.h):
# the rest was not written yet, and the process ended (SIGSEGV) at the first product of 8-bit weights
change "$work/llama_cpp_python-$version/vendor/llama.cpp/ggml/src/ggml-cpu/amx/mmq.cpp" \
  's/^    _tile_loadconfig(&tc);/    __asm__ volatile("" : : "r"(\&tc) : "memory");\n&/'
export CMAKE_BUILD_PARALLEL_LEVEL="${JOBS:-$(nproc)}"
common="-DGGML_BACKEND_DL=ON -DGGML_NATIVE=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=OFF \
  -DLLAMA_BUILD_SERVER=OFF"
if [ -n "${PACK:-}" ]; then
  case $PACK in
    vulkan) own=$(cat /opt/shaders/cmake-args 2>/dev/null || true) ;; # packaging/packs/shader_tools.sh
    hip) own="-DGPU_TARGETS=${GPU_TARGETS:-gfx908;gfx90a;gfx942;gfx1030;gfx1100;gfx1101;gfx1102;gfx1200;gfx1201}" ;;
    *) own='' ;;
  esac
  # shellcheck disable=SC2086 # lists of arguments
  cmake -S "$work/llama_cpp_python-$version/vendor/llama.cpp" -B "$work/$PACK" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DBUILD_SHARED_LIBS=ON -DLLAMA_BUILD_COMMON=OFF -DGGML_CPU=OFF "-DGGML_$(echo "$PACK" | tr '[:lower:]' '[:upper:]')=ON" $common $own
  cmake --build "$work/$PACK" --target "ggml-$PACK"
  cp "$work/$PACK/bin/libggml-$PACK.so" "$out/"
  ldd "$out/libggml-$PACK.so" | awk '$1 ~ /^lib(cudart|cublas|cublasLt)[.]so/ { print $3 }' | xargs -r cp -L -t "$out"
  patchelf --set-rpath "\$ORIGIN" "$out"/lib*.so*
  exit 0
fi
# without its last part the variants are installed elsewhere, and there is no backend for the processor
export CMAKE_ARGS="$common -DGGML_CPU_ALL_VARIANTS=ON -DLLAVA_BUILD=ON -DCMAKE_INSTALL_BINDIR=llama_cpp/lib"
"$python" -m pip wheel --no-deps --no-build-isolation -w "$work/wheel" --config-settings=build-dir="$work/build" \
  "$work/llama_cpp_python-$version"
"$python" "$(dirname "$0")/finish_wheel.py" "$work/wheel"/llama_cpp_python-*.whl "$out"
