#!/usr/bin/env bash
# Installs the program for this user on Linux: a virtual environment of its own, the commands "aoi" and "cras", and an
# entry in the menu of the desktop. "linux.sh --remove" takes them away again; records and settings stay.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
place="${XDG_DATA_HOME:-$HOME/.local/share}/aoi-program"
bin="$HOME/.local/bin"
menu="${XDG_DATA_HOME:-$HOME/.local/share}/applications/aoi.desktop"

if [ "${1:-}" = "--remove" ]; then
  rm -rf "$place" "$bin/aoi" "$bin/cras" "$menu"
  echo "Removed. Records and settings are still in ${XDG_DATA_HOME:-$HOME/.local/share}/aoi and ${XDG_CONFIG_HOME:-$HOME/.config}/aoi."
  exit 0
fi

python=""
for candidate in python3.12 python3.13 python3.11 python3.10 python3; do
  if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
[ -n "$python" ] || { echo "Python 3.10 to 3.13 is needed. On Debian or Ubuntu: sudo apt-get install python3 python3-venv" >&2; exit 1; }
"$python" -c 'import ensurepip' 2>/dev/null || { echo "$python cannot make virtual environments. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }

mkdir -p "$bin" "$(dirname "$menu")"
"$python" -m venv --clear "$place"
"$place/bin/pip" install --quiet "$here"
ln -sf "$place/bin/aoi" "$bin/aoi"
ln -sf "$place/bin/cras" "$bin/cras"
cat > "$menu" <<END
[Desktop Entry]
Type=Application
Name=Cloth inspection
Comment=Finds the defects on a running web of cloth
Exec="$place/bin/aoi"
Categories=Science;
Terminal=false
END
echo "Installed. Start it with $bin/aoi, or from the menu."
case ":$PATH:" in *":$bin:"*) ;; *) echo "Add $bin to PATH to call it by its name alone." ;; esac
