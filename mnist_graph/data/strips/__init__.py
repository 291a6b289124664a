"""Strips: rows of digits as people write them, made from MNIST for the network that reads rows.

    maker        the door: batches and sets of strips with their digits
    form         what a strip is, and any picture of a row in that form
    writing      which digits and marks, where each stands
    hands        who writes: MNIST's writers, pen strokes, allographs
    allographs   the ways to write each digit; marks: what stands among digits
    pen          strokes to ink
    paper        patterns, ruling, boxes
    camera       light, blur, noise: ink and paper to pixels

Everything random is a function of a seed and the number of the strip.
"""
