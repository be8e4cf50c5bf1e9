#!/usr/bin/env python3
"""Make the embedded fonts: Noto Sans SC, regular and bold, cut down to what a terminal can be asked to show.

    python3 subset.py NotoSansSC_400Regular.ttf NotoSansSC_700Bold.ttf

writes NotoSansSC-Regular.ttf and NotoSansSC-Bold.ttf beside this script. The sources are the files
400Regular/NotoSansSC_400Regular.ttf and 700Bold/NotoSansSC_700Bold.ttf of the npm package
@expo-google-fonts/noto-sans-sc, version 0.4.3 (`npm pack @expo-google-fonts/noto-sans-sc@0.4.3`), made with fontTools 4.68.

Kept: the 6763 hanzi and the symbols of GB 2312, Latin-1, what the source has of Latin Extended-A, general and full-width punctuation,
and a few signs. Added: blank glyphs for the zero-width space and the word joiner, by which texts say where a line may break; without
them those characters would be sought in a system font. Hinting goes: the screens are drawn without it. The licence reserves the font
name "Source", which is not used here, so the family may keep the name "Noto Sans SC".
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib.tables._g_l_y_f import Glyph

LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x180)]
PUNCTUATION = [*range(0x2010, 0x2028), *range(0x2030, 0x203F), *range(0x3000, 0x3020), *range(0xFF01, 0xFF5F), *range(0xFFE0, 0xFFE7)]
ZERO_WIDTH = [0x200B, 0x2060]
SIGNS = [ord(c) for c in "≈≠≤≥×÷±−℃№™←↑→↓●○■□▲△▼▽★☆〇€￥"]


def gb2312():
    """Every character of GB 2312, in code order."""
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                yield ord(bytes((row, cell)).decode("gb2312"))
            except UnicodeDecodeError:
                continue


def add_zero_width(font) -> None:
    name = "zerowidth"
    font.setGlyphOrder([*font.getGlyphOrder(), name])
    font["glyf"][name] = Glyph()
    font["hmtx"][name] = (0, 0)
    for table in font["cmap"].tables:
        if table.isUnicode() and table.format != 14:
            table.cmap.update({code: name for code in ZERO_WIDTH})


def cut(source: Path, target: Path) -> None:
    options = subset.Options()
    options.hinting = False
    options.layout_features = ["kern", "locl", "mark", "mkmk", "ccmp"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17]
    options.notdef_outline = True
    options.drop_tables += ["DSIG", "vhea", "vmtx", "VORG", "BASE"]
    font = subset.load_font(str(source), options)
    wanted = {*LATIN, *PUNCTUATION, *SIGNS, *gb2312()}
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    add_zero_width(font)
    subset.save_font(font, str(target), options)
    missing = sorted(wanted - set(font.getBestCmap()))
    print(f"{target.name}: {target.stat().st_size} bytes, {len(font.getBestCmap())} characters")
    print("  not in the source:", " ".join(f"{c:04X}" for c in missing) or "none")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    here = Path(__file__).parent
    cut(Path(sys.argv[1]), here / "NotoSansSC-Regular.ttf")
    cut(Path(sys.argv[2]), here / "NotoSansSC-Bold.ttf")


if __name__ == "__main__":
    main()
