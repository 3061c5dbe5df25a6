"""What is only darker or lighter than the cloth around it: stripes, bars, stains; and what the lamp does.

Numpy, OpenCV and SciPy; no torch, no millimetres of a roll. Rows of cells go in, scores of cells come out.
"""
