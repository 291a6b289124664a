"""Reading handwriting: from a picture of any kind to digits in MNIST's form.

    picture   a file to grey pixels
    paper     grey to ink: sheet (where the paper ends), ruling (its lines)
    pieces    ink to what may be digits
    cuts      digits that touch
    form      a digit to 28x28, as MNIST's were made
    rows      the order of reading
    page      all of these, one after the other
    annotate  what was read, drawn on the picture

OpenCV does the thresholds' groundwork, morphology and labelling: it needs nothing but NumPy, and
takes tens of milliseconds where scikit-image takes seconds. Nothing here imports TensorFlow.
"""
