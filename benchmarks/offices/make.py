"""Writes the documents of an office: python make.py joinery OUT"""

import sys
from pathlib import Path

from questions_kit import Office


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    office, out = Path(__file__).parent / sys.argv[1], Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    made = Office(office, out)
    print(f"{len(made.text)} documents, {sum(map(len, made.text.values())):,} characters of text")
    return 0


if __name__ == "__main__":
    sys.exit(main())
