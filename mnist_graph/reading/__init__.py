"""A picture of any kind in, its digits out: row, column, box, label, probability.

    reader       the door: Reader.read(picture) -> digits, by the network that reads rows
    classifier   the other door: digit by digit, by a network of 28x28 images
    litert, numpy_networks   both doors without TensorFlow; row_reading and digit_reading have what
                 they share
    inputs       what an exported network is given for a picture

    On the way:
    folders, documents, pages   files, folders, TIFF and PDF -> pages, one after the other
    stream       prepares pages in parallel, in their order
    picture      a page -> grey pixels, upright
    prepare      grey pixels -> rows, in these steps:
        page         the writing dark on light: scaling, sheet (where the paper ends), paper (its
                     light), foreground (what differs from it), lines (ruling, removed)
        rows         what stands in a row
        strips       each row straightened, for the network that reads it
        pieces       each row in single digits, for a classifier; data/mnist_form
                     brings them to 28x28
    whole        a page -> one image, for a classifier of whole pictures
    decode       the network's columns -> digits and how sure each is
    locate       where each digit is, in its strip and in the picture
    second_opinion   a network of single digits on doubtful ones that stand alone
    annotate     draws the digits that were read onto the picture
    collect      pages of known digits -> each digit with its label; collection saves them
    digit, boxes, confidence   what is returned; rectangles; when a prediction counts as sure

Open `row_reading` first, then `prepare`. Nothing up to `prepare` imports TensorFlow. OpenCV does
thresholds, morphology and labelling: it needs nothing but NumPy, and takes tens of milliseconds
where scikit-image takes seconds.
"""
