"""A picture of any kind in, its digits out: row, column, box, label, probability.

    reader       Reader: a network that reads rows, for pictures as people take them
    classifier   Classifier: a network of 28x28 images, digit by digit, as in the tutorials
    prepare      the way of a picture up to the network, step by step:
    picture      - a file, bytes, a Pillow image or an array to upright grey pixels
    page         - light, paper and foreground: scaling, sheet (on a table), paper (without its
                   ink), foreground (by contrast), lines (of ruled paper)
    rows         - foreground to rows of connected components
    strips       - a row, straightened, to the pixels that Reader's network is given
    pieces       - a row to single digits, brought to MNIST's form by form, for Classifier
    decode       the network's columns to digits with probabilities
    locate       the box of each digit in a strip
    annotate     draws the digits onto the picture
    digit, boxes, confidence   what is returned; rectangles; when a prediction counts as sure

Open `prepare` first, then `reader`. Nothing up to `prepare` imports TensorFlow. OpenCV does
thresholds, morphology and labelling: it needs nothing but NumPy, and takes tens of milliseconds
where scikit-image takes seconds.
"""
