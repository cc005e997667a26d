"""The look of the window: design tokens, the stylesheet made from them, and the icons.

Nothing outside this package names a colour, a font size or a distance as a number.
"""
