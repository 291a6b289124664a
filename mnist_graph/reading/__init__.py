"""A picture of any kind in, its digits out: row, column, box, label, probability.

    classifier   the door: Classifier.read(picture) -> digits
    page         the steps below, one after the other: load_ink, then read_digits
    folders      a folder to files
    pages        a file to its pages; documents opens TIFF and PDF
    stream       many pages, prepared in parallel
    picture      a file to grey pixels
    paper        grey to ink: sheet (where the paper ends), ruling (its lines)
    pieces       ink to what may be digits
    cuts         digits that touch
    form         a digit to 28x28, as MNIST's were made
    rows         the order of reading
    annotate     draws the digits that were read onto the picture
    confidence   when a prediction counts as sure

Open `classifier` first. Only `classifier` imports TensorFlow. OpenCV does thresholds, morphology
and labelling: it needs nothing but NumPy, and takes tens of milliseconds where scikit-image takes
seconds.
"""
