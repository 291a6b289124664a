"""Labelled images in, batches out. NumPy only; Pillow for folders of pictures, OpenCV for
strips and scans.

    idx            one IDX file -> an array of bytes
    formats/       IDX and other files, folders of pictures -> arrays
    datasets       these -> DataSets: training, validation and test images
    held_out       training images that score the runs of a sweep
    originals      MNIST's digits, mixed into batches of other data
    batches        a DataSet -> the batch of each iteration
    augmentation   how strongly training images are distorted
    distortions    the distortions themselves, of ink on a background
    photo_distortions   those of photographs
    scans          digits as they come out of pictures: other pens, paper, camera
    mnist_form     a digit in the form in which MNIST's were made
    strips/        rows of digits, made from MNIST's
    arrays         .npz files, read with suspicion
    picture_files  picture files, opened with suspicion
    shapes         grey images and those in colour
    scaling        bytes 0..255 -> numbers in [0, 1]
    arguments      checks the numbers and paths that a caller gives
    mnist/         MNIST itself

Open `datasets` first.
"""
