"""Labelled images in any of the forms that they are kept in. Each module reads one.

    find         what a folder or file is, and what reads it
    examples     what all of them return, and how it is checked
    idx_files    MNIST's own four files
    keras_npz    mnist.npz, as Keras writes it
    cifar        CIFAR-10 and CIFAR-100, binary version
    svhn         SVHN, cropped digits
    pictures     a folder with one subfolder for each class
        listing      which pictures there are, of which class, for what
        decoding     the pictures as arrays, in parallel
        cache        what was decoded, saved for the next time

Open `find` first.
"""
