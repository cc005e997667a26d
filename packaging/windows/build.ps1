# Makes the Windows installer: packaging\windows\build.ps1 -Python ARCHIVE -PythonSha256 HASH -Out FOLDER [-Source URL]
# Needs Python 3.11 with pip, the Visual C++ tools, cmake, ninja and makensis. Not run by the authors: see docs\packaging.md.
param([Parameter(Mandatory)] $Python, [Parameter(Mandatory)] $PythonSha256, [Parameter(Mandatory)] $Out, $Source = "")
$ErrorActionPreference = "Stop"
$root = Resolve-Path "$PSScriptRoot\..\.."
$work = Join-Path $env:TEMP ("workbench-" + [guid]::NewGuid())
New-Item -ItemType Directory -Force $work, $Out | Out-Null
$version = (Select-String -Path "$root\workbench\__init__.py" -Pattern '__version__ = "(.*)"').Matches[0].Groups[1].Value
function Invoke-Checked { & $args[0] @($args[1..$args.Length]); if ($LASTEXITCODE) { throw "$($args[0]) failed" } }

Invoke-Checked python -m pip install scikit-build-core hatchling cmake ninja
$env:CMAKE_ARGS = "-DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DGGML_NATIVE=OFF -DCMAKE_INSTALL_BINDIR=llama_cpp/lib"
Invoke-Checked python -m pip wheel --no-deps --no-build-isolation --no-binary :all: --require-hashes -r "$root\packaging\locks\llama-cpp-python.txt" -w "$work\wheel"
$wheel = (Get-ChildItem "$work\wheel\llama_cpp_python-*.whl").FullName
Invoke-Checked python "$root\packaging\tree.py" --python $Python --python-sha256 $PythonSha256 --platform windows-x86_64 --kind windows --llama-cpp $wheel --source $Source --out "$work\tree"
New-Item -ItemType Directory -Force "$work\tree\bin" | Out-Null
Copy-Item "$root\packaging\windows\workbench.cmd" "$work\tree\bin\"
Invoke-Checked "$work\tree\python\python.exe" -P "$root\packaging\windows\icon.py" "$root\resources\app-icon.svg" "$work\tree\llm-workbench.ico"
Invoke-Checked "$work\tree\python\python.exe" -P "$root\packaging\check_tree.py" --checkout $root
if ($env:SIGN_TOOL) { Get-ChildItem -Recurse "$work\tree" -Include *.exe, *.dll, *.pyd | ForEach-Object { Invoke-Checked $env:SIGN_TOOL $_.FullName } }
Copy-Item "$work\tree\sbom.json" (Join-Path $Out "sbom-windows-x86_64.json")
$file = Join-Path (Resolve-Path $Out) "llm-workbench-$version-x86_64.exe"
Invoke-Checked makensis "-DVERSION=$version" "-DTREE=$work\tree" "-DOUT=$file" "$root\packaging\windows\installer.nsi"
if ($env:SIGN_TOOL) { Invoke-Checked $env:SIGN_TOOL $file }
"$((Get-FileHash $file -Algorithm SHA256).Hash.ToLower())  $(Split-Path -Leaf $file)" | Set-Content "$file.sha256"
