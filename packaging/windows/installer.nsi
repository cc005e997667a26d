; The Windows installer: for one user, without administrator's rights, each version in a folder of its own.
;   makensis -DVERSION=0.1.0 -DTREE=C:\tree -DOUT=llm-workbench-0.1.0-x86_64.exe packaging\windows\installer.nsi
Unicode true
!include MUI2.nsh
!include LogicLib.nsh
!include WordFunc.nsh
!insertmacro VersionCompare

!ifndef VERSION
  !error "VERSION is missing"
!endif
!ifndef TREE
  !error "TREE is missing"
!endif
!ifndef OUT
  !define OUT "llm-workbench-${VERSION}-x86_64.exe"
!endif

!define NAME "LLM Workbench"
!define KEY "Software\LLM Workbench"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\LLM Workbench"
!define CLASS "LLMWorkbench.gguf"

Name "${NAME}"
OutFile "${OUT}"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\LLM Workbench"
InstallDirRegKey HKCU "${KEY}" "Folder"
SetCompressor /SOLID lzma
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "${NAME}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "${NAME}"
VIAddVersionKey LegalCopyright "The LLM Workbench authors, Apache-2.0"

!insertmacro MUI_PAGE_LICENSE "..\..\LICENSE"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\${VERSION}\python\pythonw.exe"
; -I: no launcher clears PYTHONPATH and the like here
!define MUI_FINISHPAGE_RUN_PARAMETERS "-I -m ui.main"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Function .onInit
  ReadRegStr $0 HKCU "${KEY}" "Version"
  ${If} $0 != ""
    ${VersionCompare} "$0" "${VERSION}" $1 ; 1: the installed one is later
    ${If} $1 == 1
      MessageBox MB_OK|MB_ICONSTOP "Version $0 is installed, which is later than ${VERSION}: an older version cannot read what it has stored. Remove it first if that is what you want; your data stays." /SD IDOK
      SetErrorLevel 3
      Abort
    ${EndIf}
  ${EndIf}
FunctionEnd

Section "Program"
  ; unpacked beside its place, and renamed once it is whole
  RMDir /r "$INSTDIR\${VERSION}.new"
  SetOutPath "$INSTDIR\${VERSION}.new"
  File /r "${TREE}\*.*"
  SetOutPath "$INSTDIR"
  ${If} ${FileExists} "$INSTDIR\${VERSION}\*.*"
    ClearErrors
    Rename "$INSTDIR\${VERSION}" "$INSTDIR\${VERSION}.old"
    ${If} ${Errors}
      RMDir /r "$INSTDIR\${VERSION}.new"
      MessageBox MB_OK|MB_ICONSTOP "Version ${VERSION} is running. Close its windows, wait for its work, and try again." /SD IDOK
      SetErrorLevel 4
      Abort
    ${EndIf}
  ${EndIf}
  Rename "$INSTDIR\${VERSION}.new" "$INSTDIR\${VERSION}"
  RMDir /r "$INSTDIR\${VERSION}.old"

  ; an older version goes once nothing runs from it: a folder with a running program cannot be renamed
  ReadRegStr $0 HKCU "${KEY}" "Version"
  ${If} $0 != ""
  ${AndIf} $0 != "${VERSION}"
    ClearErrors
    Rename "$INSTDIR\$0" "$INSTDIR\$0.old"
    ${If} ${Errors}
      WriteRegStr HKCU "${KEY}" "Leaving" "$0"
    ${Else}
      RMDir /r "$INSTDIR\$0.old"
    ${EndIf}
  ${EndIf}
  ReadRegStr $0 HKCU "${KEY}" "Leaving"
  ${If} $0 != ""
    ClearErrors
    Rename "$INSTDIR\$0" "$INSTDIR\$0.old"
    ${IfNot} ${Errors}
      RMDir /r "$INSTDIR\$0.old"
      DeleteRegValue HKCU "${KEY}" "Leaving"
    ${EndIf}
  ${EndIf}

  CreateShortCut "$SMPROGRAMS\LLM Workbench.lnk" "$INSTDIR\${VERSION}\python\pythonw.exe" "-I -m ui.main" "$INSTDIR\${VERSION}\llm-workbench.ico"
  WriteRegStr HKCU "Software\Classes\.gguf\OpenWithProgids" "${CLASS}" ""
  WriteRegStr HKCU "Software\Classes\${CLASS}" "" "GGUF language model"
  WriteRegStr HKCU "Software\Classes\${CLASS}\DefaultIcon" "" "$INSTDIR\${VERSION}\llm-workbench.ico"
  WriteRegStr HKCU "Software\Classes\${CLASS}\shell\open" "FriendlyAppName" "${NAME}"
  WriteRegStr HKCU "Software\Classes\${CLASS}\shell\open\command" "" '"$INSTDIR\${VERSION}\python\pythonw.exe" -I -m ui.main "%1"'
  WriteRegStr HKCU "${KEY}" "Folder" "$INSTDIR"
  WriteRegStr HKCU "${KEY}" "Version" "${VERSION}"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\${VERSION}\llm-workbench.ico"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
SectionEnd

Section "Uninstall"
  ; the data folder (%LOCALAPPDATA%\llm-workbench) stays
  ReadRegStr $0 HKCU "${KEY}" "Version"
  ClearErrors
  Rename "$INSTDIR\$0" "$INSTDIR\$0.old"
  ${If} ${Errors}
    MessageBox MB_OK|MB_ICONSTOP "LLM Workbench is running. Close its windows, wait for its work, and try again." /SD IDOK
    SetErrorLevel 4
    Abort
  ${EndIf}
  RMDir /r "$INSTDIR\$0.old"
  ReadRegStr $1 HKCU "${KEY}" "Leaving"
  ${If} $1 != ""
    RMDir /r "$INSTDIR\$1"
  ${EndIf}
  Delete "$SMPROGRAMS\LLM Workbench.lnk"
  DeleteRegValue HKCU "Software\Classes\.gguf\OpenWithProgids" "${CLASS}"
  DeleteRegKey HKCU "Software\Classes\${CLASS}"
  DeleteRegKey HKCU "${UNINSTALL}"
  DeleteRegKey HKCU "${KEY}"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
SectionEnd
