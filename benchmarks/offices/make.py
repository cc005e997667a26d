"""Writes the documents of an office: python make.py joinery OUT"""

import sys
from pathlib import Path

from plain_office import PlainOffice
from read_back import read_text


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    office, out = Path(__file__).parent / sys.argv[1], Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    PlainOffice(office).write(out)
    texts = [read_text(one) for one in out.iterdir()]
    print(f"{len(texts)} documents, {sum(map(len, texts)):,} characters of text")
    return 0


if __name__ == "__main__":
    sys.exit(main())
