"""The geometry of a running web, without torch: windows, cloth edges, the score relative to the web, regions.

Units are image pixels (``_px``), lines of the web (``_line``) and cells, the squares of ``cell_px`` pixels that carry
one score each.
"""
