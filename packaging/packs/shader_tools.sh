#!/bin/sh
# Puts what the Vulkan pack is built with into a build chroot (packaging/linux/make_chroot.sh):
#   packaging/packs/shader_tools.sh CHROOT
# Debian 12's Vulkan headers are too old for llama.cpp, and its glslc knows no cooperative matrices. Those of Debian 13 are
# unpacked beside, and glslc runs with its own C library: it writes SPIR-V, which is data. What is linked stays Debian 12's.
set -eu
folder=$1/opt/shaders
[ -f "$folder/cmake-args" ] && exit 0
rm -rf "$folder"
mmdebstrap --variant=extract --include=glslc,libvulkan-dev,spirv-headers trixie "$folder"
chroot "$1" sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends libvulkan-dev' >/dev/null
loader=$(cd "$folder" && find . -name 'ld-linux*.so.*' | head -n 1)
libraries=$(cd "$folder" && dirname "$(find . -name 'libshaderc.so.1' | head -n 1)")
libc=$(cd "$folder" && dirname "$(find . -name 'libc.so.6' | head -n 1)")
cat > "$folder/glslc" <<END
#!/bin/sh
exec /opt/shaders/${loader#./} --library-path /opt/shaders/${libraries#./}:/opt/shaders/${libc#./} /opt/shaders/usr/bin/glslc "\$@"
END
chmod 755 "$folder/glslc"
chroot "$1" /opt/shaders/glslc --version
spirv=$(cd "$folder" && dirname "$(find . -name 'SPIRV-HeadersConfig.cmake' | head -n 1)")
vulkan=$(chroot "$1" sh -c 'dpkg -L libvulkan-dev | grep "/libvulkan.so$"')
echo "-DVulkan_GLSLC_EXECUTABLE=/opt/shaders/glslc -DVulkan_INCLUDE_DIR=/opt/shaders/usr/include" \
  "-DVulkan_LIBRARY=$vulkan -DSPIRV-Headers_DIR=/opt/shaders/${spirv#./}" > "$folder/cmake-args"
