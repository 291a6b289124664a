"""Many trainings of one recipe, scored on held-out training images: sweeps and searches; and two
runs compared.

    sweep       sweep(): every combination of some hyperparameters' values
    results     what it has found
    knobs       the values of hyperparameters, checked, and their grid
    picture     accuracy and time against the values of each knob
    tune        tune(): a search for good values, with Optuna
    study       the search's study, an SQLite file that several machines can share
    compare     compare(): two runs on the same test images
    mcnemar     whether their difference is more than chance
    sheet       the images on which they disagree
    setting     what all trainings have in common: data, held-out images, device
    folder      sweeps/<number>/, found again by what stands in it
    cores       how many trainings at a time, and on which cores
    workers     the processes that train, started and stopped
    worker      such a process
    reports     the hook that reports accuracies from it

Open `sweep` first.
"""
