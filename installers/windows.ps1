# Installs the program for this user on Windows: a virtual environment of its own and a shortcut in the start menu.
# "windows.ps1 -Remove" takes them away again; records and settings stay.
param([switch]$Remove)
$ErrorActionPreference = "Stop"
$place = Join-Path $env:LOCALAPPDATA "aoi-program"
$shortcut = Join-Path ([Environment]::GetFolderPath("Programs")) "Cloth inspection.lnk"

if ($Remove) {
    Remove-Item -Recurse -Force -ErrorAction SilentlyContinue $place, $shortcut
    Write-Output "Removed. Records and settings are still in $env:LOCALAPPDATA\aoi."
    exit 0
}

$version = & py -3 -c "import sys; print('%d.%d' % sys.version_info[:2])"
if ($version -notin @("3.10", "3.11", "3.12", "3.13")) {
    throw "Python 3.10 to 3.13 is needed; found '$version'. Get it from https://www.python.org/downloads/"
}
& py -3 -m venv --clear $place
& "$place\Scripts\pip" install --quiet (Split-Path $PSScriptRoot -Parent)
$link = (New-Object -ComObject WScript.Shell).CreateShortcut($shortcut)
$link.TargetPath = "$place\Scripts\aoi.exe"
$link.Description = "Finds the defects on a running web of cloth"
$link.Save()
Write-Output "Installed. Start 'Cloth inspection' from the start menu, or $place\Scripts\aoi.exe"
