#!/bin/sh
# Draws the icon at a size with the tree's own Qt: TREE SVG SIZE OUT.png
set -eu
exec "$1/python/bin/python3" -P -c '
import sys
from PySide6.QtGui import QGuiApplication, QIcon
application = QGuiApplication([])
sys.exit(not QIcon(sys.argv[1]).pixmap(int(sys.argv[2])).save(sys.argv[3]))
' "$2" "$3" "$4"
