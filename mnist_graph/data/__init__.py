"""IDX files in, batches out. NumPy only.

    idx            one IDX file -> an array of bytes
    datasets       four IDX files -> DataSets: training, validation and test images
    held_out       training images that score the runs of a sweep
    originals      MNIST's digits, mixed into batches of other data
    batches        a DataSet -> the batch of each iteration
    augmentation   how strongly training images are distorted
    distortions    the distortions themselves
    strips/        rows of digits, made from MNIST's
    scaling        bytes 0..255 -> numbers in [0, 1]
    arguments      checks the numbers and paths that a caller gives
    mnist/         MNIST itself

Open `datasets` first.
"""
